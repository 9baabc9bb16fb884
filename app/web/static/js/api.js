// Calls of the JSON API; what goes wrong becomes a Problem with words in the page's language.
import { t } from "./words.js";

export class Problem extends Error {
  constructor(status, body = {}) {
    super(t(`problem.${status}`) === `problem.${status}` ? t("problem.unknown") : t(`problem.${status}`));
    this.status = status;
    this.errorType = body.error_type ?? "";
    this.reference = body.trace_id ?? "";
  }
}

/** Sends a request and returns its JSON (null for none). `keepalive` outlives the page. */
export async function call(method, path, body = undefined, { keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, keepalive, body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0);
  }
  const text = await response.text();
  const parsed = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
  if (!response.ok) throw new Problem(response.status, parsed ?? {});
  return parsed;
}
