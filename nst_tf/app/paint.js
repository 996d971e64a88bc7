// Paint a mask on the photograph. The strokes lie on a canvas of their own, which becomes the
// component's value: the data URL of a PNG that is transparent where nothing was painted.
const photo = element.querySelector("img");
const canvas = element.querySelector("canvas");
const size = element.querySelector("[type=range]");
const erase = element.querySelector("[type=checkbox]");
const context = canvas.getContext("2d");
let last = null; // position of the pointer while it is pressed

function position(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function paint(event) {
  const next = position(event);
  context.globalCompositeOperation = erase.checked ? "destination-out" : "source-over";
  context.strokeStyle = "rgb(255, 45, 117)";
  context.lineCap = "round";
  context.lineWidth = Number(size.value);
  context.beginPath();
  context.moveTo(...last);
  context.lineTo(...next);
  context.stroke();
  last = next;
}

function send() {
  props.value = canvas.toDataURL("image/png");
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  last = position(event);
  paint(event);
});
canvas.addEventListener("pointermove", (event) => last && paint(event));
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (last) send();
    last = null;
  });
}
element.querySelector("button").addEventListener("click", () => {
  context.clearRect(0, 0, canvas.width, canvas.height);
  send();
});
photo.addEventListener("load", () => {
  canvas.width = photo.naturalWidth; // empties the canvas, too
  canvas.height = photo.naturalHeight;
});
const show = () => {
  canvas.width = 1; // empties it: strokes belong to one photograph
  photo.style.display = props.photo ? "" : "none";
  if (props.photo) photo.src = props.photo;
};
watch("photo", show);
show();
