// Readable values beside sliders and colours.
export function showValues(root = document) {
  for (const place of root.querySelectorAll("[data-value-of]")) {
    const field = document.getElementById(place.dataset.valueOf);
    if (!field) continue;
    const show = () => {
      place.textContent = field.type === "range"
        ? Number(field.value).toLocaleString(document.documentElement.lang)
        : field.value;
    };
    field.addEventListener("input", show);
    show();
  }
}

showValues();
