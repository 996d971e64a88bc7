"use strict";
// The slider chooses which picture of the strip is shown large; without scripts the strip is there.
const now = document.querySelector(".now");
const frames = [...document.querySelectorAll(".strip img[data-iteration]")];
const slider = now.querySelector("input");
slider.max = frames.length - 1;

function show() {
  const frame = frames[slider.value];
  now.querySelector("img").src = frame.src;
  now.querySelector("img").alt = frame.alt;
  now.querySelector("output").textContent = frame.dataset.iteration;
  slider.setAttribute("aria-valuetext", frame.alt);
}

if (frames.length) {
  slider.addEventListener("input", show);
  frames.forEach((frame, number) => frame.addEventListener("click", () => { slider.value = number; show(); }));
  now.hidden = false;
  slider.value = frames.length - 1;
  show();
}
