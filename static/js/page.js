// What a live page does by itself: finds, remembers, tells times, shows toasts, notes what was read.
const SEEN_MS = 1000;
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const parse = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;
export const fill = (text, values) => (text ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
export const logOf = (stream) => document.getElementById(`log-${stream.replace(":", "-")}`);
export const streamOf = (log) => log.id.replace(/^log-/, "").replace("-", ":");
export const stored = {
  get: (key, otherwise) => { try { return JSON.parse(sessionStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } },
  set: (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: kept in memory only */ } },
};

export const lang = document.documentElement.lang || "en";
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" }), exact = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
export function tellTimes(root = document) {
  for (const element of $$("time[datetime]:not([data-absolute])", root)) {
    const at = new Date(element.dateTime), seconds = (at - Date.now()) / 1000;
    if (Number.isNaN(seconds)) continue;
    if (!element.title) element.title = exact.format(at);
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 0];
    const said = size ? relative.format(Math.trunc(seconds / size), unit) : relative.format(0, "second");
    if (element.textContent !== said) element.textContent = said;
  }
}
export function toast(content) {
  const place = document.getElementById("toasts"), made = [...content.children];
  place?.append(...made);
  made.forEach((one) => window.htmx?.process(one));
  made.forEach((one) => tellTimes(one));
}
export function notify(why) {
  const content = $("template[data-toast]")?.content.cloneNode(true) ?? parse('<div class="toast" data-toast><p data-body></p></div>');
  ($("[data-body]", content) ?? content.firstElementChild).textContent = why;
  toast(content);
}
// What everybody is told above the page; empty words take it away, and with it what was refused for that reason.
export function notice(why) {
  const place = document.getElementById("notice"), made = document.getElementById("notice-made")?.content.cloneNode(true);
  if (!place || !made || ($("[data-body]", place)?.textContent ?? "") === why) return false;
  $("[data-body]", made).textContent = why;
  place.replaceChildren(...(why ? [made] : []));
  if (!why) $$('.problem[data-status="503"]').forEach((said) => said.remove());
  return !why;
}
const seen = new Map(), reads = new Map();
export const looking = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    clearTimeout(seen.get(target));
    if (isIntersecting) see(target);
    else seen.delete(target);
  }
}, { threshold: 0.5 });
function see(target) {
  seen.set(target, setTimeout(() => {
    if (!target.isConnected) return looking.unobserve(target);
    if (!document.hasFocus()) return see(target);
    looking.unobserve(target);
    seen.delete(target);
    const log = target.closest("[data-read-url]"), seq = Number(target.dataset.seq);
    if (!log || seq <= (reads.get(log) ?? Number(log.dataset.readSeq ?? 0))) return;
    reads.set(log, seq);
    clearTimeout(log.readTimer);
    log.readTimer = setTimeout(() => fetch(log.dataset.readUrl, {
      method: "POST", keepalive: true, headers: { Accept: "application/json", "X-Swarm-Request": "1" },
      body: new URLSearchParams({ lane: streamOf(log).split(":")[0], seq: String(reads.get(log)) }),
    }).then((answer) => answer.ok || reads.delete(log)).catch(() => reads.delete(log)), 200);
  }, SEEN_MS));
}
