// How many lose their access follows the ticks; without scripts the form says who may be unticked, and refuses another number.
const number = document.getElementById("leaving");
const boxes = [...document.querySelectorAll('input[name="leaver"]')];
const count = () => {
  number.value = Number(number.dataset.all) - boxes.filter((box) => !box.checked).length;
};
for (const box of boxes) box.addEventListener("change", count);
if (number) count(); // a browser may have kept ticks of an earlier look
