// One button ticks everyone on the page; without scripts each box still works.
const button = document.getElementById("tick-all");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll('input[name="participation"]')];
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
}
