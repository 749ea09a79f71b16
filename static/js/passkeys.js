/* Passkeys: a form with data-passkey asks the browser for one before it is sent. Web Authentication, level 3. */
const CANNOT = !window.PublicKeyCredential?.parseCreationOptionsFromJSON;

async function optionsFor(form) {
  const current = form.elements.namedItem("current"), body = new URLSearchParams(current ? { current: current.value } : {});
  const answer = await fetch(form.dataset.options, {
    method: "POST", body, headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
  });
  const said = await answer.json();
  if (answer.ok) return said;
  throw new Error(Object.values(said.problems ?? {})[0] ?? said.detail);
}

async function credential(form) {
  const options = await optionsFor(form);
  return form.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (CANNOT) (form.closest("section") ?? form).hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const place = form.querySelector("[role=alert]");
    place.hidden = true;
    try {
      form.elements.namedItem("answer").value = JSON.stringify((await credential(form)).toJSON());
      // The password is not needed again.
      const current = form.elements.namedItem("current");
      if (current) current.disabled = true;
      form.submit();
    } catch (problem) {
      place.lastElementChild.textContent = form.dataset.failed.replace("{why}", problem.message);
      place.hidden = false;
    }
  }, true);
}
