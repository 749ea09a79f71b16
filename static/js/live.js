// Owns the page's socket: applies events in order, keeps what is typed, sends what is written. docs/protocol.md
import { $, $$, fill, notice, notify, logOf, looking, parse, stored, streamOf, tellTimes, toast } from "./page.js";
import { hasFiles, mustWait, takeNames } from "./files.js";
import { brought, refresh, refreshAll, replace } from "./pieces.js";
import { markPresence, mayTellTyping, showPresence, showTyping, stopTyping } from "./signals.js";

const COME_BACK_NEVER = new Set([4400, 4401, 4403, 4404]);
const ANSWER_MS = 5000;
// A server to which everybody comes back at once answers in turn: who hangs up and comes again begins at the end.
const connectMs = () => Math.min(20000, 10000 + 5000 * tries);
const clientId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
// A dead connection costs little the first times, a slow line is given longer the next; sending again is safe.
const patience = (tried) => AbortSignal.timeout(Math.min(20000, 5000 * 2 ** Math.max(0, tried - 1)));
const readMeta = (root) => JSON.parse($('meta[name="swarm-live"]', root)?.content ?? "null");

const start = readMeta(document) ?? { epoch: "", streams: {} }, at = $('meta[name="swarm-live"]')?.dataset.at ?? "/live";
let epoch = start.epoch;
const cursors = new Map(Object.entries(start.streams));
const catching = new Set();

// ---- The socket -------------------------------------------------------------------------------------------------
let socket = null, beat = 20, heardAt = 0, pingedAt = 0, openedAt = 0, tries = 0, timer = 0, ended = false, tickedAt = Date.now();

function connect() {
  clearTimeout(timer);
  if (ended || !cursors.size || (socket && socket.readyState <= WebSocket.OPEN)) return;
  const mine = new WebSocket(location.origin.replace(/^http/, "ws") + at, "swarm.html.1");
  socket = mine;
  openedAt = Date.now();
  mine.onopen = () => { heardAt = Date.now(); pingedAt = 0; watch([...cursors.keys()]); };
  mine.onmessage = ({ data }) => { if (mine === socket) { heardAt = Date.now(); pingedAt = 0; hear(JSON.parse(data)); } };
  mine.onclose = ({ code }) => {
    if (mine !== socket) return;
    if (code === 4401) return leaveRoom() || reloadPage();
    ended = COME_BACK_NEVER.has(code);
    again();
  };
  showState();
}
function again(atOnce = false) {
  const old = socket;
  socket = null;
  catching.clear();
  if (old) { old.onclose = null; old.close(); }
  clearTimeout(timer);
  const most = Math.min(10000, 500 * 2 ** tries++);
  if (!ended) timer = setTimeout(connect, atOnce ? 0 : 100 + Math.random() * most);
  showState();
}
const open = () => socket?.readyState === WebSocket.OPEN;
const say = (frame) => { if (open()) socket.send(JSON.stringify(frame)); };
function watch(streams) {
  const known = streams.filter((stream) => cursors.has(stream));
  for (const stream of known) catching.add(stream);
  if (known.length) say({ t: "watch", epoch, streams: Object.fromEntries(known.map((stream) => [stream, cursors.get(stream)])) });
  showState();
}
function ping() { if (!pingedAt) { pingedAt = Date.now(); say({ t: "ping" }); } }
function wake() {
  if (ended || document.visibilityState === "hidden") return;
  if (open()) ping();
  else if (!socket || Date.now() - openedAt > 2000) again(true);
  flushOutboxes();
}
function tick() {
  const now = Date.now(), slept = now - tickedAt > 10000;
  tickedAt = now;
  if (slept) return wake();
  if (open() && pingedAt && now - pingedAt > ANSWER_MS) return again(true);
  if (open() && now - heardAt > beat * 1000) ping();
  if (socket?.readyState === WebSocket.CONNECTING && now - openedAt > connectMs()) again();
}
function showState() {
  const state = !open() ? "offline" : catching.size ? "catching-up" : "live";
  const count = outbox.filter((item) => !item.failed).length;
  for (const pill of $$("[data-live-pill]")) {
    const text = state === "offline" && count ? pill.dataset.textWaiting ?? `${pill.dataset.textOffline} · {count}` : pill.getAttribute(`data-text-${state}`);
    if (pill.dataset.state !== state) pill.dataset.state = state;
    const label = $("[data-live-text]", pill) ?? pill, said = fill(text, { count });
    if (label.textContent !== said) label.textContent = said;
  }
}

// ---- What the server says ---------------------------------------------------------------------------------------
function hear(frame) {
  switch (frame.t) {
    case "hello": beat = frame.beat; tellAll(frame.readonly ?? ""); break;
    case "readonly": tellAll(frame.why); break;
    case "event": apply(frame); break;
    case "caught_up":
      if (cursors.get(frame.s) === frame.n) catching.delete(frame.s);
      if (!catching.size) { tries = 0; flushOutboxes(); }
      showState();
      break;
    case "reload": reloadPiece(frame.s); break;
    case "gone": cursors.delete(frame.s); catching.delete(frame.s); notify(frame.why); showState(); break;
    case "typing": showTyping(frame); break;
    case "presence": showPresence(frame); break;
    case "ack": case "refused": case "pong": break;
  }
}
// When it is over, what waited is sent: not by all pages in the same moment.
function tellAll(why) { if (notice(why)) setTimeout(flushOutboxes, Math.random() * 1500); }
function apply({ s, n, do: ops }) {
  const cursor = cursors.get(s);
  if (cursor === undefined || n <= cursor) return;
  if (n > cursor + 1) { if (!catching.has(s)) watch([s]); return; }
  cursors.set(s, n);
  for (const [verb, target, html] of ops) {
    if (verb === "append" && !append(target, html)) return reloadPiece(s, true);
    if (verb === "replace") replace(target, html);
    if (verb === "remove") $(target)?.remove();
    if (verb === "refresh") $$(target).forEach(refresh);
    if (verb === "toast") toast(parse(target));
  }
}
function append(selector, html) {
  const target = $(selector);
  if (!target) return false;
  stickToBottom(target, () => {
    for (const made of [...parse(html).children]) {
      const same = made.id && document.getElementById(made.id), id = made.dataset.clientId;
      if (id) { forget(id); $$(`[data-pending-bubble][data-client-id="${CSS.escape(id)}"]`, target).forEach((bubble) => bubble.remove()); }
      if (same) same.replaceWith(made);
      else target.insertBefore(made, $(":scope > [data-pending-bubble]", target));
      brought(made);
      if (made.dataset.author) stopTyping(made.dataset.author);
    }
  });
  return true;
}
function acted({ target }) {
  const form = target.closest?.("form");
  if (form) form.dataset.sent = "";
  for (let at = form?.closest("details"); at; at = at.parentElement?.closest("details")) at.open = false;
  // Where the page is live, the event says what to draw anew.
  if (!open() || catching.size) refreshAll();
}
// A guest who is put out reads why, and this browser keeps nothing of it.
function leaveRoom() {
  const over = $("template[data-over]");
  if (!over) return false;
  ended = true;
  again();
  for (const stream of cursors.keys()) stored.set(draftKey(stream), "");
  outbox = [];
  keep();
  document.title = over.dataset.over;
  $("main").replaceWith(over.content.cloneNode(true));
  return true;
}
function reloadPage() {
  if (Date.now() - stored.get("swarm.reloaded", 0) < 3000) { setTimeout(reloadPage, 3000); return; }
  stored.set("swarm.reloaded", Date.now());
  location.reload();
}
async function reloadPiece(stream, whole = false, tried = 0) {
  const shown = logOf(stream);
  cursors.delete(stream);
  catching.add(stream);
  showState();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: patience(tried) });
    if (answer.status >= 500) throw new Error(answer.status);
    if (!answer.ok || answer.redirected) return reloadPage();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html"), meta = readMeta(page);
    const fresh = shown && page.getElementById(shown.id);
    if (!(stream in (meta?.streams ?? {})) || (shown && !fresh) || (whole && !shown)) return reloadPage();
    if (shown) stickToBottom(shown, () => { shown.replaceChildren(...document.importNode(fresh, true).childNodes); brought(shown); bubblesOf(stream); });
    epoch = meta.epoch;
    cursors.set(stream, meta.streams[stream]);
    refreshAll();
    watch([stream]);
  } catch { setTimeout(reloadPiece, 1000 + Math.random() * 3000, stream, whole, tried + 1); }
}

// ---- Scroll: what is being read never moves ------------------------------------------------------------------------
function scrollerOf(element) {
  for (let at = element; at && at !== document.body; at = at.parentElement) if (/auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  return document.scrollingElement;
}
// A lane is a reversed column, so that it starts at its end without script: there scrollTop is 0 at the end, negative above.
const reversed = (scroller) => getComputedStyle(scroller).flexDirection === "column-reverse";
const fromBottom = (scroller) => (reversed(scroller) ? -scroller.scrollTop : scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
const toBottom = (scroller) => { scroller.scrollTop = reversed(scroller) ? 0 : scroller.scrollHeight; };
const atBottom = (scroller) => fromBottom(scroller) < 48;
const newButton = (log) => $("[data-new-messages]", log.closest("[data-lane]") ?? log.parentElement);
function stickToBottom(log, change, always = false) {
  const scroller = scrollerOf(log), stick = always || atBottom(scroller), top = scroller.scrollTop, height = scroller.scrollHeight;
  change();
  if (stick) toBottom(scroller);
  else scroller.scrollTop = reversed(scroller) ? top - (scroller.scrollHeight - height) : top;
  const button = log.id.startsWith("log-") && newButton(log);
  if (button && !stick) button.hidden = false;
}
function watchScroll(log) {
  const scroller = scrollerOf(log), button = newButton(log);
  const hide = () => { if (button && atBottom(scroller)) button.hidden = true; };
  (scroller === document.scrollingElement ? window : scroller).addEventListener("scroll", hide, { passive: true });
  button?.addEventListener("click", () => { toBottom(scroller); button.hidden = true; });
}
const olderSeen = new IntersectionObserver((changes) => { for (const { target, isIntersecting } of changes) if (isIntersecting) older(target); });
async function older(link) {
  const log = link.closest('[id^="log-"]');
  if (!log || link.dataset.busy) return;
  link.dataset.busy = "1";
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html", "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const made = [...(page.getElementById(log.id) ?? page.body).children].filter((one) => !one.id || !document.getElementById(one.id));
    const scroller = scrollerOf(log), top = scroller.scrollTop, height = scroller.scrollHeight;
    link.replaceWith(...made);
    made.forEach(brought);
    scroller.scrollTop = reversed(scroller) ? top : top + scroller.scrollHeight - height;
  } catch { delete link.dataset.busy; }
}

// ---- Composers: a message is pending, sent or failed, and never forgotten ---------------------------------------
// What one person wrote is never sent or shown as another's who signs in after them in this tab.
const mine = document.body.dataset.me || "nobody", outboxKey = `swarm.outbox.${mine}`, draftKey = (stream) => `swarm.draft.${mine}.${stream}`;
let outbox = stored.get(outboxKey, []);
const sending = new Set(), waits = new Map();
const keep = () => { stored.set(outboxKey, outbox); showState(); };
function forget(id) { if (outbox.some((item) => item.id === id)) { outbox = outbox.filter((item) => item.id !== id); keep(); } }
const bubbleOf = (id) => $(`[data-pending-bubble][data-client-id="${CSS.escape(id)}"]`);
function bubblesOf(stream) {
  for (const item of outbox.filter((one) => one.s === stream)) {
    if ($(`[data-client-id="${CSS.escape(item.id)}"]:not([data-pending-bubble])`)) forget(item.id);
    else if (!bubbleOf(item.id)) bubble(item);
  }
}
function bubble(item) {
  const made = $(`template[data-pending="${CSS.escape(item.s)}"]`)?.content.firstElementChild?.cloneNode(true), log = logOf(item.s);
  if (!made || !log) return;
  made.dataset.clientId = item.id;
  made.setAttribute("data-pending-bubble", "");
  const body = $("[data-body]", made);
  if (body) body.textContent = [item.body, ...(item.names ?? []).map((name) => `📎 ${name}`)].filter(Boolean).join("\n");
  log.append(made);
  dress(made);
  mark(item);
}
function mark(item, state = item.failed ? "failed" : "sending") {
  const made = bubbleOf(item.id);
  if (!made) return;
  made.dataset.state = state;
  const why = $("[data-why]", made);
  if (why) why.textContent = item.failed ?? "";
}
function submit(form) {
  const stream = form.dataset.composer, area = form.elements.body;
  if (mustWait(form)) return;
  if (!area.value.trim() && !hasFiles(form)) return area.focus();
  const fields = [...new FormData(form)].filter(([name, value]) => name !== "client_id" && typeof value === "string");
  const item = { s: stream, id: clientId(), action: form.action, fields, body: area.value };
  item.names = takeNames(form);
  outbox.push(item);
  keep();
  const log = logOf(stream);
  if (log) stickToBottom(log, () => bubble(item), true);
  form.reset();
  area.value = "";
  stored.set(draftKey(stream), "");
  area.dispatchEvent(new Event("sent", { bubbles: true }));
  area.focus();
  flush(stream);
}
async function flush(stream) {
  if (sending.has(stream)) return;
  sending.add(stream);
  clearTimeout(waits.get(stream)?.timer);
  try {
    for (let item; (item = outbox.find((one) => one.s === stream && !one.failed && !one.sent)); ) {
      mark(item);
      let answer = null;
      try {
        answer = await fetch(item.action, {
          method: "POST", signal: patience(waits.get(stream)?.tried ?? 0), headers: { Accept: "application/json", "X-Swarm-Request": "1" },
          body: new URLSearchParams([...item.fields, ["client_id", item.id]]),
        });
      } catch { /* not known whether it arrived: the same id makes a second try safe */ }
      if (answer?.redirected) return reloadPage();
      if (answer?.ok) { item.sent = true; waits.delete(stream); mark(item, "sent"); forget(item.id); continue; }
      if (answer && answer.status >= 400 && answer.status < 500 && ![408, 425, 429].includes(answer.status)) {
        const problem = await answer.json().catch(() => ({}));
        item.failed = problem.detail || problem.title || answer.statusText || String(answer.status);
        mark(item);
        keep();
        continue;
      }
      const tried = (waits.get(stream)?.tried ?? 0) + 1, most = Math.min(30000, 1000 * 2 ** tried);
      for (const one of outbox) if (one.s === stream && !one.failed && !one.sent) mark(one, "waiting");
      waits.set(stream, { tried, timer: setTimeout(flush, 500 + Math.random() * most, stream) });
      return;
    }
  } finally { sending.delete(stream); showState(); }
}
function flushOutboxes() { for (const stream of new Set(outbox.map((item) => item.s))) flush(stream); }
function decide(button, event) {
  const made = button.closest("[data-pending-bubble]"), item = outbox.find((one) => one.id === made?.dataset.clientId);
  if (!item) return;
  event.preventDefault();
  if (button.matches("[data-copy]")) navigator.clipboard?.writeText(item.body);
  if (button.matches("[data-retry]")) { delete item.failed; mark(item); keep(); flush(item.s); }
  if (button.matches("[data-discard]")) { forget(item.id); made.remove(); }
}

// ---- The page ---------------------------------------------------------------------------------------------------
function dress(root) {
  const me = document.body.dataset.me, all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...$$(selector, root)];
  if (me) for (const element of all("[data-author]")) element.classList.toggle("mine", element.dataset.author === me);
  for (const element of all("[data-seq]")) if (element.closest("[data-read-url]")) looking.observe(element);
  for (const link of all("a[data-older]")) olderSeen.observe(link);
  for (const area of all("form[data-composer] textarea[name=body]")) if (!area.value) area.value = stored.get(draftKey(area.form.dataset.composer), "");
  tellTimes(root);
  markPresence(root);
}

addEventListener("submit", (event) => { if (event.target.matches("form[data-composer]")) { event.preventDefault(); submit(event.target); } }, true);
addEventListener("input", ({ target }) => {
  const stream = target.name === "body" && target.form?.dataset.composer;
  if (!stream) return;
  stored.set(draftKey(stream), target.value);
  if (target.value.trim() && mayTellTyping(stream)) say({ t: "typing", s: stream });
});
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || !event.target.form?.matches("[data-composer]")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-retry],[data-copy],[data-discard]"), link = event.target.closest?.("a[data-older]");
  if (button) decide(button, event);
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); older(link); }
});
addEventListener("online", wake);
addEventListener("offline", () => { if (open()) ping(); });
document.addEventListener("visibilitychange", wake);
addEventListener("focus", wake);
addEventListener("pageshow", ({ persisted }) => { if (persisted) again(true); });
addEventListener("pagehide", () => { if (socket) { socket.onclose = null; socket.close(); socket = null; } });
document.addEventListener("acted", acted);
document.addEventListener("brought", ({ target }) => { dress(target); showState(); });

dress(document);
for (const log of $$('[id^="log-"]')) {
  const scroller = scrollerOf(log);
  if (scroller !== document.scrollingElement) scroller.scrollTop = scroller.scrollHeight;
  bubblesOf(streamOf(log));
  watchScroll(log);
}
setInterval(tick, 1000);
setInterval(tellTimes, 30000);
connect();
flushOutboxes();
