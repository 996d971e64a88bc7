"use strict";
// Sorts the cards of this page by a number of their scores, the smallest first. Failed runs stay at
// the front, runs without that number at the end; without scripts the order is that of the file.
const chosen = document.querySelector(".sort select");
const list = document.querySelector(".cards");
const cards = [...list.children].map((card) => ({
  card,
  place: Number(card.dataset.place),
  score: "score" in card.dataset ? JSON.parse(card.dataset.score) : null,
}));

function rank({ score }) {
  if (!score) return -Infinity;
  return chosen.value ? score[chosen.value] ?? Infinity : 0;
}

chosen.addEventListener("change", () => {
  cards.sort((one, other) => rank(one) - rank(other) || one.place - other.place);
  list.append(...cards.map(({ card }) => card));
});
document.querySelector(".sort").hidden = false;
