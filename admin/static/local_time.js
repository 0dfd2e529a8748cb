// Times in the zone of whoever looks: the server writes them in UTC, which stays in the title.
const language = document.documentElement.lang;
const form = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll("time[datetime]")) {
  const said = time.textContent.trim();
  // Of days, and of the evidence log, UTC is what is meant.
  if (!said.endsWith("UTC") || time.closest(".events")) continue;
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = said;
  time.textContent = form.format(moment);
}
