// What the files are called, by upload key, for as long as this tab is open: so people find a file again. Never sent.
const NAMES = "photo-names";

const names = () => JSON.parse(sessionStorage.getItem(NAMES) ?? "{}");

export const nameOf = (key) => names()[key];

export function remember(key, name) {
  sessionStorage.setItem(NAMES, JSON.stringify({ ...names(), [key]: name }));
}
