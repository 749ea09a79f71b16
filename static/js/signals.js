// What needs no memory: who writes, who is here.
import { $$, fill, lang } from "./page.js";

const TELL_EVERY_MS = 3000, SHOWN_MS = 6000;
const typers = new Map(), toldAt = new Map(), here = new Map();

/** Whether it is time to say that somebody writes here; noted as said. */
export function mayTellTyping(stream) {
  if (Date.now() - (toldAt.get(stream) ?? 0) < TELL_EVERY_MS) return false;
  toldAt.set(stream, Date.now());
  return true;
}
export function showTyping({ s, id, name }) {
  const key = `${s} ${id}`;
  clearTimeout(typers.get(key)?.timer);
  typers.set(key, { s, id, name, timer: setTimeout(() => { typers.delete(key); typingLine(s); }, SHOWN_MS) });
  typingLine(s);
}
export function stopTyping(id) {
  for (const [key, one] of typers) {
    if (one.id !== id) continue;
    clearTimeout(one.timer);
    typers.delete(key);
    typingLine(one.s);
  }
}
function typingLine(stream) {
  const names = [...typers.values()].filter((one) => one.s === stream).map((one) => one.name);
  for (const line of $$(`[data-typing="${CSS.escape(stream)}"]`)) {
    const text = names.length === 1 ? line.dataset.textOne : line.dataset.textMany;
    line.textContent = names.length ? fill(text, { name: names[0], names: new Intl.ListFormat(lang).format(names), count: names.length }) : "";
  }
}

export function showPresence({ s, here: people }) {
  here.set(s, new Set(people.map((one) => one.id)));
  markPresence(document);
}
export function markPresence(root) {
  for (const element of $$("[data-presence]", root)) element.dataset.online = String([...here.values()].some((ids) => ids.has(element.dataset.presence)));
}
