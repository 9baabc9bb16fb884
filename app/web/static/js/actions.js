// Retry, cancel, delete: forms that work by themselves, made quicker and undoable.
import { $, on } from "./dom.js";
import { call, Problem } from "./api.js";
import { busy } from "./focus.js";
import { later, toast } from "./toast.js";
import { t } from "./words.js";

const path = (form, verb = "") => `/api/v1/texts/${form.dataset.text}${verb}`;

function tell(error) {
  const text = error instanceof Problem ? error.message : t("problem.unknown");
  toast(error.reference ? `${text} ${t("reference", { id: error.reference.slice(0, 12) })}` : text, null, 9000);
}

/** The live part that a form stands in: its row, or the head of the page. */
const partOf = (form) => form.closest("[data-live]")?.id;

async function retry(form, live) {
  const answer = await call("POST", path(form, "/retry"));
  if (form.dataset.then === "task") location.assign(`/tasks/${answer.task.id}`);
  else live.release(partOf(form));
}

function cancel(form, live) {
  const part = partOf(form);
  const send = () => call("POST", path(form, "/cancel"), undefined, { keepalive: true })
    .then(() => live.release(part)).catch(tell);
  later(t(form.dataset.stops === "1" ? "stopping" : "cancelling", { title: form.dataset.title }), send);
}

async function remove(form, live) {
  await call("DELETE", path(form));
  if (form.dataset.then === "task") {
    location.assign(`/?deleted=${form.dataset.text}`);
    return;
  }
  const row = form.closest("[data-row]");
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  if (row?.contains(document.activeElement)) $("[data-open]", beside ?? document)?.focus();
  row?.remove();
  offerUndo(form.dataset.text, form.dataset.title, live);
}

function offerUndo(textId, title, live) {
  const run = () => call("POST", `/api/v1/texts/${textId}/restore`)
    .then(() => location.reload()).catch(tell);
  toast(t("deleted", { title }), { label: t("undo"), run }, 10000);
  live.soon(0);
}

const ACTIONS = { retry, cancel, delete: remove };

export function start(live) {
  on("submit", "form[data-action]", (form, event) => {
    event.preventDefault();
    busy(form, async () => ACTIONS[form.dataset.action](form, live)).catch(tell);
  });
  const query = new URLSearchParams(location.search);
  const deleted = query.get("deleted");
  if (deleted && /^\d+$/.test(deleted)) {
    query.delete("deleted");
    history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
    offerUndo(deleted, "", live);
  }
}
