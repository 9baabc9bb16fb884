// The form of the limits: says what a change does before it is made.
import { $ } from "./dom.js";
import { call } from "./api.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

export function start() {
  const form = $("form[data-limits]");
  if (!form) return;
  const dialog = $("#limit-dialog");
  const field = $("[name=max_concurrent]", form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = Number(field.value);
    const key = effect(value, Number(form.dataset.now), Number(form.dataset.busy));
    $("[data-effect]", dialog).textContent = t(`limit.${key}`, { n: value, busy: Number(form.dataset.busy) });
    dialog.showModal();
  });
  $("[data-confirm]", dialog).addEventListener("click", async () => {
    dialog.close();
    try {
      await call("PUT", "/api/v1/limits", { max_concurrent: Number(field.value) });
      form.dataset.now = field.value;
      toast(t("limit.changed", { n: Number(field.value) }));
    } catch (error) {
      toast(error.message);
    }
  });
}

function effect(value, now, busy) {
  if (value === 0) return "none";
  if (value < busy) return "below_busy";
  return value > now ? "more" : "fewer";
}
