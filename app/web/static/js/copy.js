// Copy buttons. Plain http has no clipboard API outside localhost, so there is a second way.
import { on } from "./dom.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

async function copyText(text) {
  if (navigator.clipboard && isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "vh";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

export function start() {
  on("click", "[data-copy]", async (button) => {
    try {
      await copyText(button.dataset.copy);
      toast(t("copied"), null, 2000);
    } catch {
      toast(t("not_copied"));
    }
  });
}
