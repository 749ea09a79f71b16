/* Keys, the palette, popovers, toasts. Everything here is a shortcut: without it each form and link still works. */

import { notify } from "./page.js";

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;
const typing = (target) => target instanceof Element && target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
const FIELDS = "input:not([type=hidden], [disabled]), textarea:not([disabled]), select:not([disabled])";

/** Focus, opening or pressing, whichever fits the element; lanes and menus it lies in are opened first. */
export function use(element) {
  for (let outer = element.parentElement?.closest("details"); outer; outer = outer.parentElement?.closest("details")) outer.open = true;
  const lane = element.closest(".lane");
  if (lane && !shown(lane)) document.getElementById(lane.matches(".room") ? "pane-room" : "pane-customer")?.click();
  const details = element.matches("summary") ? element.parentElement : element;
  if (details.matches("details")) {
    details.open = true;
    (details.querySelector(`.panel :is(${FIELDS}), .in :is(${FIELDS})`) ?? details.querySelector(".panel :is(button, a, summary), .in :is(button, a)"))?.focus();
  } else if (element.matches("textarea, input, select")) {
    element.focus();
  } else {
    element.click();
  }
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => $$("[data-filter] input[type=search], [data-filter] select").find(shown)?.focus(),
  "?": () => openDialog("help"),
};

function step(by) {
  const rows = $$("[data-row] .row-link").filter(shown);
  if (!rows.length) return;
  let at = rows.indexOf(document.activeElement);
  if (at < 0) at = rows.findIndex((row) => row.matches("[aria-current]")) - (by < 0 && !rows.some((row) => row.matches("[aria-current]")) ? -rows.length : 0);
  const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("palette");
    return;
  }
  if (event.key === "Escape") return escape(event);
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key] ?? keyed(event.key);
  if (!act) return;
  event.preventDefault();
  act();
});

function keyed(key) {
  if (!/^[a-z]$/.test(key)) return null;
  const element = document.querySelector(`[data-key="${key}"]:not([disabled])`);
  return element && (() => (element.dataset.says ? notify(element.dataset.says) : use(element)));
}

function escape(event) {
  const open = $$("details.popover[open]").at(-1);
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
    event.preventDefault();
    return;
  }
  const drawer = document.getElementById("side-open");
  if (drawer?.checked) drawer.checked = false;
  else if (typing(event.target) && !event.target.closest("dialog")) event.target.blur();
}

document.addEventListener("click", (event) => {
  const target = event.target;
  for (const open of $$("details.popover[open]")) if (!open.contains(target)) open.open = false;
  const drawer = document.getElementById("side-open");
  if (drawer?.checked && !target.closest(".side, .side-toggle, .switcher, dialog")) drawer.checked = false;
  const opener = target.closest("[data-opens]");
  if (opener) openDialog(opener.dataset.opens);
  const closer = target.closest("[data-close]");
  if (closer) (closer.closest("dialog")?.close(), closer.closest(".toast")?.remove());
  if (target instanceof HTMLDialogElement) target.close();
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form && event.target.matches("select")) form.requestSubmit();
});

/* Dialogs and the palette */

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  $$("dialog[open]").forEach((other) => other.close());
  if (id === "palette") fillPalette(dialog);
  dialog.showModal();
}

function label(element) {
  return (element.getAttribute("aria-label") || element.querySelector(".label")?.textContent || element.textContent).trim().replace(/\s+/g, " ");
}

function fillPalette(dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const items = $$("[data-palette]").filter((element) => element.isConnected && !element.disabled).map((element) => ({ element, text: label(element) })).filter((item) => item.text);
  let picked = 0;
  let found = [];
  let asked, soon;

  const paint = () => {
    [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === picked)));
    input.setAttribute("aria-activedescendant", list.children[picked]?.id ?? "");
    list.children[picked]?.scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    const words = fold(input.value).split(/\s+/).filter(Boolean);
    found = items.filter((item) => words.every((word) => fold(item.text).includes(word))).slice(0, 60);
    picked = 0;
    show();
    elsewhere(input.value);
  };
  const show = () => {
    list.replaceChildren(...found.map((item, index) => line(item, index)));
    dialog.querySelector("p").hidden = found.length > 0;
    paint();
  };
  /* Tickets and customers that are not on this screen stand below what is. */
  const elsewhere = async (words) => {
    asked?.abort();
    clearTimeout(soon);
    if (words.trim().length < 2) return;
    const asking = (asked = new AbortController());
    soon = setTimeout(async () => {
      try {
        const answer = await fetch(`/find?q=${encodeURIComponent(words.slice(0, 200))}`, { headers: { Accept: "application/json" }, signal: asking.signal });
        if (!answer.ok || !dialog.open) return;
        const here = new Set(found.map((item) => item.element.getAttribute("href")));
        found = found.concat((await answer.json()).found.filter((one) => !here.has(one.href)).map(away));
        show();
      } catch { /* Without an answer there is what is on the screen. */ }
    }, 150);
  };
  const run = (index) => {
    const item = found[index];
    if (!item) return;
    dialog.close();
    use(item.element);
  };
  input.value = "";
  input.oninput = search;
  input.onkeydown = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found.length) {
      picked = (picked + by + found.length) % found.length;
      paint();
    } else if (event.key === "Enter") run(picked);
    else return;
    event.preventDefault();
  };
  list.onclick = (event) => run([...list.children].indexOf(event.target.closest("li")));
  search();
}

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function away(one) {
  const element = Object.assign(document.createElement("a"), { href: one.href });
  const drawing = document.querySelector(`.rail a[href="/${one.href.split("/")[1]}"] svg.icon`);
  if (drawing) element.append(drawing.cloneNode(true));
  return { element, text: one.text, more: one.more };
}

function line(item, index) {
  const li = document.createElement("li");
  li.id = `palette-${index}`;
  li.setAttribute("role", "option");
  const drawing = item.element.querySelector("svg.icon");
  if (drawing) li.append(drawing.cloneNode(true));
  const text = li.appendChild(document.createElement("span"));
  text.className = "clip";
  text.textContent = item.text;
  const key = item.element.closest("[data-key]")?.dataset.key;
  if (item.more) li.appendChild(Object.assign(document.createElement("small"), { className: "push dim clip", textContent: item.more }));
  if (key) li.appendChild(Object.assign(document.createElement("kbd"), { className: "push", textContent: key }));
  return li;
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) for (const key of $$("kbd[data-mod]")) key.textContent = `⌘${key.dataset.mod}`;

document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });

/* Toasts go by themselves after eight seconds, unless they ask for something or somebody is at them. */

const toasts = document.getElementById("toasts");
if (toasts) {
  const dismiss = (toast) => setTimeout(() => (toast.matches(":hover, :focus-within") ? dismiss(toast) : toast.remove()), 8000);
  const arm = () => $$("[data-toast]:not([data-armed])", toasts).forEach((toast) => {
    toast.dataset.armed = "";
    if (!("stays" in toast.dataset)) dismiss(toast);
    while (toasts.children.length > 4) toasts.firstElementChild.remove();
  });
  new MutationObserver(arm).observe(toasts, { childList: true });
  arm();
}
