// One file on its way: told in per cent, and tried again for as long as it is wanted.
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Sends `file` under `key` until the server has answered for good; returns its status and what it said. `tell` hears
// how much of it has arrived, from 0 to 1, and nothing at all while the connection is away. Where `wanted` has turned
// false nothing is returned.
export async function transfer(address, headers, key, file, { tell, wanted }) {
  for (let attempt = 0; wanted(); attempt += 1) {
    tell(0);
    try {
      const answer = await post(address, headers, key, file, { tell, wanted });
      if (answer.status < 500 && answer.status !== 429) return answer;
    } catch {
      // The network failed; the same key makes another try safe.
    }
    tell(null);
    await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    if (!navigator.onLine) await new Promise((back) => addEventListener("online", back, { once: true }));
  }
  return null;
}

// `fetch` does not say how much it has sent.
function post(address, headers, key, file, { tell, wanted }) {
  const body = new FormData();
  body.set("upload_key", key);
  body.set("photo", file, "photo"); // the file's own name can name a person, so it stays here
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => (wanted() ? tell(event.loaded / event.total) : request.abort()));
    request.addEventListener("load", () => {
      try {
        done({ status: request.status, said: JSON.parse(request.responseText) });
      } catch (error) {
        failed(error); // a proxy's page
      }
    });
    for (const name of ["error", "abort"]) request.addEventListener(name, failed);
    request.send(body);
  });
}
