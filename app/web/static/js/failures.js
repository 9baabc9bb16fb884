// What people decide about a failure group: forms that work by themselves, made quicker and undoable.
import { $, on } from "./dom.js";
import { call, Problem } from "./api.js";
import { busy } from "./focus.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

const BACK = { resolve: "reopen", reopen: "resolve", mute: "unmute", unmute: "mute" };
const FIELDS = { assign: "assignee", note: "note" };

function tell(error) {
  toast(error instanceof Problem ? error.message : t("problem.unknown"), null, 9000);
}

/** Does it and says so; `undo` takes it back, `field` then shows what it was. */
async function act(fingerprint, body, undo, field, live) {
  await call("POST", `/api/v1/failures/${encodeURIComponent(fingerprint)}`, body);
  if (field) {
    field.value = body[field.name];
    field.defaultValue = field.value;
  }
  for (const id of ["head", "course", "facts", "events"]) live.release(id);
  const run = () => act(fingerprint, undo, body, field, live).catch(tell);
  const back = () => $("#head [data-act] button");
  toast(t(`failure.${body.action}`), { label: t("undo"), run, back }, 10000);
}

export function start(live) {
  on("submit", "form[data-failure]", (form, event) => {
    event.preventDefault();
    const { failure, act: action } = form.dataset;
    const name = FIELDS[action];
    const field = name ? form.elements.namedItem(name) : null;
    const body = { action, ...(field ? { [name]: field.value } : {}) };
    const undo = field ? { action, [name]: field.defaultValue } : { action: BACK[action] };
    busy(form, () => act(failure, body, undo, field, live)).catch(tell);
  });
}
