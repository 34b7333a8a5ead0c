"use strict";
// Follows a running evaluation. Without this script the page loads itself anew every few seconds.
(() => {
  const place = document.querySelector("[data-events]");
  if (!place) return;
  const steps = place.querySelector("[data-steps]");
  const live = place.querySelector("[data-live]");
  const rows = place.querySelector("[data-rows]");
  let last = Number(place.dataset.last);

  const again = () => window.location.reload();
  if (!("EventSource" in window)) {
    setTimeout(again, 3000);
    return;
  }

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const clock = (text) => {
    const moment = new Date(text);
    return Number.isNaN(moment.getTime()) ? "" : moment.toISOString().slice(11, 16) + " UTC";
  };
  const isNew = (event) => {
    const sequence = Number(event.lastEventId);
    if (!(sequence > last)) return false;
    last = sequence;
    return true;
  };
  const tell = (name, data) => {
    const line = document.createElement("li");
    line.append(element("strong", name));
    if (data.detail) line.append(" ", element("span", data.detail));
    line.append(" ", element("span", clock(data.at), "quiet"));
    steps.append(line);
    live.textContent = data.detail ? `${name}: ${data.detail}` : name;
  };

  const source = new EventSource(place.dataset.events);
  const end = () => {
    source.close();
    again();
  };
  source.addEventListener("queued", (event) => isNew(event) && tell("in line", JSON.parse(event.data)));
  // What stands at the top of the page is made by the server.
  source.addEventListener("started", (event) => isNew(event) && end());
  source.addEventListener("phase", (event) => {
    const data = JSON.parse(event.data);
    if (isNew(event)) tell(data.name, data);
  });
  source.addEventListener("rows", (event) => {
    if (isNew(event)) rows.textContent = Number(JSON.parse(event.data).scanned).toLocaleString("en");
  });
  source.addEventListener("done", end);
  source.addEventListener("cancelled", end);
  // The stream names one of its events `error`, and so does the browser when it loses the connection.
  source.addEventListener("error", (event) => {
    if (event instanceof MessageEvent) end();
    else if (source.readyState === EventSource.CLOSED) setTimeout(again, 5000);
  });
})();
