/* Copies the words of another element: <button data-copies="its id" data-said="Copied">. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  const source = button && document.getElementById(button.dataset.copies);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    button.querySelector("[role=status]").textContent = button.dataset.said;
  } catch {
    getSelection().selectAllChildren(source);
  }
});
