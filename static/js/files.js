// Files that go with a message: chosen, dropped or pasted, sent ahead at once, shown as chips until it is sent.
import { $, $$, fill, notify } from "./page.js";

const THUMB_BYTES = 3_000_000;
const words = (form, key, values) => fill($(".attach", form)?.dataset[key], values);
const tokens = (form) => $$("[data-chips] [name=files]", form);
const onTheirWay = (form) => $$("[data-chips] progress", form).length > 0;

/** Whether something goes with this message. */
export const hasFiles = (form) => tokens(form).length > 0;
/** Whether it must wait; says so. */
export function mustWait(form) {
  if (!onTheirWay(form)) return false;
  notify(words(form, "textWait"));
  return true;
}
/** Names of what goes with it, for its bubble; the chips go. */
export function takeNames(form) {
  const names = tokens(form).map((one) => one.dataset.name);
  $("[data-chips]", form)?.replaceChildren();
  return names;
}

function add(form, files) {
  const label = $(".attach", form), list = $("[data-chips]", form);
  if (!label || !list) return;
  for (const wrong of $$(".wrong", list)) wrong.remove();
  for (const file of files) {
    if (list.children.length >= Number(label.dataset.most)) { notify(label.dataset.textMany); return; }
    const one = chip(form, list, file);
    if (file.size > Number(label.dataset.mostBytes)) fail(one, words(form, "textLarge", { name: file.name, most: Math.round(label.dataset.mostBytes / 1e6) }));
    else send(form, one, file);
  }
}
function chip(form, list, file) {
  const one = document.createElement("li"), name = document.createElement("span"), remove = document.createElement("button");
  name.className = "clip";
  name.textContent = file.name;
  remove.type = "button";
  remove.className = "button quiet small only";
  remove.setAttribute("aria-label", words(form, "textRemove", { name: file.name }));
  remove.textContent = "×";
  remove.addEventListener("click", () => { one.request?.abort(); one.remove(); form.elements.body.focus(); });
  one.append(name, remove);
  list.append(one);
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.type) && file.size <= THUMB_BYTES) {
    const reader = new FileReader();
    reader.onload = () => one.prepend(Object.assign(document.createElement("img"), { src: reader.result, alt: "" }));
    reader.readAsDataURL(file);
  }
  return one;
}
function fail(one, why) {
  $("progress", one)?.remove();
  one.className = "wrong";
  $(".clip", one).textContent = why;
}
function send(form, one, file) {
  const bar = one.appendChild(Object.assign(document.createElement("progress"), { max: 1, value: 0 })), body = new FormData();
  bar.setAttribute("aria-label", words(form, "textSending", { name: file.name }));
  body.append("files", file, file.name);
  const request = (one.request = new XMLHttpRequest());
  const cut = () => fail(one, words(form, "textCut", { name: file.name }));
  request.open("POST", form.dataset.takes);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-Swarm-Request", "json");
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => { bar.value = loaded / total; };
  request.onerror = cut;
  request.onload = () => {
    const token = request.status === 201 && request.response?.files?.[0];
    if (!token) return request.response ? fail(one, request.response.problems?.files ?? request.response.detail) : cut();
    bar.remove();
    const input = one.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "files", value: token }));
    input.dataset.name = file.name;
  };
  request.send(body);
}

const composer = (target) => target.closest?.("form[data-takes]");
const composerNear = (target) => composer(target) ?? $("form[data-takes]", target.closest?.("[data-lane]") ?? document.createElement("i"));
const brings = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
document.documentElement.classList.add("scripted-files");
addEventListener("change", ({ target }) => {
  const form = target.matches?.("form[data-takes] input[type=file]") && composer(target);
  if (!form) return;
  add(form, [...target.files]);
  target.value = "";
});
addEventListener("paste", (event) => {
  const form = composer(event.target), files = [...(event.clipboardData?.files ?? [])];
  if (!form || !files.length) return;
  event.preventDefault();
  add(form, files);
});
const unmark = () => $$(".dropping").forEach((form) => form.classList.remove("dropping"));
addEventListener("dragover", (event) => {
  if (!brings(event)) return;
  // Beside a composer nothing happens: the browser would leave the page for the file.
  event.preventDefault();
  unmark();
  const form = composerNear(event.target);
  form?.classList.add("dropping");
  event.dataTransfer.dropEffect = form ? "copy" : "none";
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) unmark(); });
addEventListener("drop", (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  unmark();
  const form = composerNear(event.target);
  if (form) add(form, [...event.dataTransfer.files]);
});
