// Owns the pieces of a page that are drawn anew: fetched when an event made them old, never under a hand that types or presses.
import { $, $$, notify, parse } from "./page.js";

const FETCH_MS = 10000;
const fetchesItself = '[hx-trigger~="refresh"]';

/** Tells the page that something was put into it. */
export function brought(element) {
  window.htmx?.process(element);
  element.dispatchEvent(new Event("brought", { bubbles: true }));
}

// What is under a pressed button or finger stays until it is let go: a click that began on it would be lost.
let pressed = null;
const held = new Map();
const pressing = (element) => Boolean(pressed && element.contains(pressed));
export function replace(target, html) {
  const old = $(target);
  if (!old) return;
  if (pressing(old)) { held.set(target, html); return; }
  held.delete(target);
  const made = [...parse(html).children];
  old.replaceWith(...made);
  made.forEach(brought);
}
function release() {
  setTimeout(() => {
    pressed = null;
    for (const [target, html] of [...held]) replace(target, html);
  });
}
addEventListener("pointerdown", ({ target }) => { pressed = target; }, true);
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, release, true);

// A piece in which something is being typed, or a form stands open, keeps still until that is over.
const chosen = (select) => [...select.options].some((option) => option.selected !== option.defaultSelected);
const typedIn = (field) => !field.closest("[data-sent]") && (field.localName === "select" ? chosen(field) && ![...field.options].every((option) => !option.defaultSelected) : field.type !== "hidden" && field.value !== field.defaultValue);
const busy = (element) => pressing(element) || $("details[open]", element) || $$("select, textarea, input:not([type=checkbox]):not([type=radio])", element).some(typedIn);

// What is being fetched may have been read before the event: it is shown, and fetched once more.
const asked = new WeakSet(), fetching = new WeakSet(), fetched = new WeakMap(), old = new WeakSet();
const heirs = (element) => (element.isConnected ? [element] : $$(`[hx-get="${CSS.escape(element.getAttribute("hx-get"))}"]`));
export function refresh(element) {
  if (fetching.has(element)) { old.add(element); return; }
  if (asked.has(element)) return;
  asked.add(element);
  const go = () => {
    if (element.isConnected && busy(element)) return setTimeout(go, 700);
    asked.delete(element);
    if (fetching.has(element)) old.add(element);
    else if (element.isConnected) element.dispatchEvent(new CustomEvent("refresh"));
  };
  setTimeout(go, Math.random() * 300);
}
export function refreshAll() { $$(fetchesItself).forEach(refresh); }

// A piece that an event made old is fetched until it came: no other event may follow.
const failed = new WeakMap();
function later({ target }) {
  if (!target.matches?.(fetchesItself)) return;
  const tried = failed.get(target) ?? 0;
  failed.set(target, tried + 1);
  setTimeout(refresh, 500 + Math.random() * Math.min(30000, 1000 * 2 ** tried), target);
}
const on = (name, heard) => document.addEventListener(`htmx:${name}`, heard);
on("config:request", ({ target, detail }) => { if (target.matches?.(fetchesItself)) detail.ctx.request.timeout = FETCH_MS; });
on("before:request", ({ target, detail }) => { if (target.matches?.(fetchesItself)) { fetching.add(target); fetched.set(detail.ctx, target); } });
on("finally:request", ({ detail }) => {
  const element = fetched.get(detail.ctx);
  fetching.delete(element);
  if (old.delete(element)) heirs(element).forEach(refresh);
});
on("error", later);
on("response:error", (event) => { if (event.detail.ctx.response.status >= 500) later(event); });
on("error", ({ target }) => {
  const said = document.getElementById("toasts")?.dataset.textUnreached;
  if (said && target.closest?.("form")) notify(said);
});
// What was fetched before somebody began to type waits as well.
on("before:swap", (event) => {
  if (!event.target.matches?.(fetchesItself) || !busy(event.target)) return;
  event.preventDefault();
  refresh(event.target);
});
on("after:swap", ({ target }) => {
  failed.delete(target);
  (target.isConnected ? target : document).dispatchEvent(new Event("brought", { bubbles: true }));
  // Why nothing was done may stand below the edge of an open panel.
  target.closest?.("form")?.querySelector("[data-problem] .problem")?.scrollIntoView({ block: "nearest" });
});
