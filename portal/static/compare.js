// A headshot beside its photo: laid upon each other with a slider between, and magnified with one tap.
// Without this script both stand side by side, and each leads to the picture alone.
const MOST = 2.5; // times; a master then shows about one pixel for each of a phone's
const DRAG_PX = 6; // less is a tap
const STEP = 0.06; // of the picture, for each press of an arrow key
const stage = document.querySelector("#compare");
const bar = document.querySelector("#slide-bar");
const range = document.querySelector("#slide");
const zoom = document.querySelector("#zoom");
const told = document.querySelector("#zoom-told");

for (const link of stage.querySelectorAll("a")) link.replaceWith(...link.childNodes);
const backwards = () => getComputedStyle(stage).direction === "rtl";
const clamp = (value) => Math.min(1, Math.max(0, value));

function slideTo(share) {
  range.value = Math.round(100 * clamp(share));
  said();
}

function said() {
  stage.style.setProperty("--at", `${range.value}%`);
  range.setAttribute("aria-valuetext", range.dataset.text.replace("{percent}", 100 - range.value));
}

if (bar) {
  stage.classList.add("slide");
  bar.hidden = false;
  range.addEventListener("input", said);
  said();
}

let at = [0.5, 0.4]; // the point that stays where it is, fractions of the picture: a face, if nothing else was tapped
function magnify(on, point = at) {
  at = point.map(clamp);
  stage.classList.toggle("zoomed", on);
  stage.style.setProperty("--zoom", on ? MOST : 1);
  stage.style.setProperty("--x", `${100 * at[0]}%`);
  stage.style.setProperty("--y", `${100 * at[1]}%`);
  zoom.textContent = on ? zoom.dataset.less : zoom.dataset.more;
  told.textContent = on ? told.dataset.text : "";
}

const zoomed = () => stage.classList.contains("zoomed");
zoom.hidden = false;
zoom.addEventListener("click", () => magnify(!zoomed()));
zoom.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "Escape") magnify(false);
  else if (zoomed() && event.key in moves) magnify(true, moves[event.key].map((step, axis) => at[axis] + step * STEP));
  else return;
  event.preventDefault();
});

let held = null;
stage.addEventListener("pointerdown", (event) => {
  const picture = event.target.closest("img");
  if (!picture || event.button) return;
  const box = picture.parentElement.getBoundingClientRect();
  held = { box, x: event.clientX, y: event.clientY, at, moved: false };
  stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  if (!held) return;
  const across = event.clientX - held.x, down = event.clientY - held.y;
  held.moved ||= Math.hypot(across, down) > DRAG_PX;
  if (!held.moved) return;
  if (zoomed()) {
    const { width, height } = held.box, by = MOST - 1;
    magnify(true, [held.at[0] - across / width / by, held.at[1] - down / height / by]);
  } else if (bar) {
    const share = (event.clientX - held.box.left) / held.box.width;
    slideTo(backwards() ? 1 - share : share);
  }
});
stage.addEventListener("pointerup", (event) => {
  if (held && !held.moved) {
    const { left, top, width, height } = held.box;
    magnify(!zoomed(), [(event.clientX - left) / width, (event.clientY - top) / height]);
  }
  held = null;
});
stage.addEventListener("pointercancel", () => { held = null; });
stage.addEventListener("dragstart", (event) => event.preventDefault());
