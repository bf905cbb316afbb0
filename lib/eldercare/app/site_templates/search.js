// Keeps of the list of headings and figures those that hold every word typed; without a script the list is whole.
const box = document.getElementById("search"), contents = document.getElementById("contents");
const list = contents.querySelector("ul"), entries = [...list.children];
const texts = entries.map(entry => entry.textContent.toLowerCase());
box.hidden = false;
box.querySelector("input").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  entries.forEach((entry, number) => {
    entry.hidden = !words.every(word => texts[number].includes(word));
    found += !entry.hidden;
  });
  contents.open = words.length > 0;
  box.querySelector("[role=status]").textContent = words.length ? `${found} ${list.dataset.found}` : "";
});
