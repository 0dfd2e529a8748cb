// What the template makes of an example person, while it is typed.
const field = document.getElementById("file_name");
const place = document.querySelector("#file-example code");
if (field && place) {
  const example = JSON.parse(field.dataset.example);
  const show = () => {
    const name = field.value.trim().replace(/\.(jpe?g|png|webp|avif)$/i, "");
    place.textContent = `${name.replace(/\{(\w+)\}/g, (all, key) => example[key] ?? all)}.jpg`;
  };
  field.addEventListener("input", show);
  show();
}
