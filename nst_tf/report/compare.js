// Puts the pictures over each other. Without it, where scripts are not run, they stand side by side.
const box = this.closest('.nst-compare');
const [pair, slider] = box.children;
const [before, after] = pair.children;
const place = this.parentElement;
const line = document.createElement('div');
line.style.cssText = 'position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fff;box-shadow:0 0 0 1px #0009;pointer-events:none';
place.append(line);

pair.style.gridTemplateColumns = '100%';
for (const each of [before, after]) each.style.gridArea = '1 / 1';
before.lastElementChild.style.width = '48%';
after.lastElementChild.style.cssText += ';margin-left:52%;text-align:right';
place.style.cssText += ';cursor:ew-resize;touch-action:pan-y;user-select:none';
this.draggable = false;
slider.style.display = 'block';

const show = () => {
  this.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
  line.style.left = `${slider.value}%`;
  slider.setAttribute('aria-valuetext', `${slider.value} % ${before.lastElementChild.textContent}`);
};
const follow = (event) => {
  const { left, width } = place.getBoundingClientRect();
  slider.value = Math.round((100 * (event.clientX - left)) / width);
  show();
};
slider.addEventListener('input', show);
// The notebook's own keys: an arrow would go to another cell.
slider.addEventListener('keydown', (event) => { if (/^(Arrow|Page|Home|End)/.test(event.key)) event.stopPropagation(); });
place.addEventListener('pointerdown', (event) => { place.setPointerCapture(event.pointerId); follow(event); });
place.addEventListener('pointermove', (event) => { if (event.buttons) follow(event); });
show();
