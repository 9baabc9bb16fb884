// What every page starts.
import * as actions from "./actions.js";
import * as analysis from "./analysis.js";
import * as copy from "./copy.js";
import * as dock from "./dock.js";
import * as failures from "./failures.js";
import * as filter from "./filter.js";
import * as focus from "./focus.js";
import * as keys from "./keys.js";
import * as limits from "./limits.js";
import * as listen from "./listen.js";
import * as live from "./live.js";
import * as lists from "./lists.js";
import * as menu from "./menu.js";
import * as theme from "./theme.js";
import * as trace from "./trace.js";
import * as upload from "./upload.js";
import * as waterfall from "./waterfall.js";
import * as zone from "./zone.js";

const sound = listen.start() ?? dock.start();
const page = live.start();
for (const part of [theme, analysis, copy, filter, focus, lists, menu, trace, waterfall, zone]) part.start();
actions.start(page);
failures.start(page);
upload.start(page);
limits.start(page);
keys.start({ sound: () => sound, live: page });
