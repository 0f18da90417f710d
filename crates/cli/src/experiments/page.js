// Players take over from each other at the same place, and a line moves over the pictures.
"use strict";
let playing = null;

function follow() {
  if (playing === null) return;
  const share = playing.currentTime / playing.duration;
  playing.closest("article").style.setProperty("--at", share);
  requestAnimationFrame(follow);
}

for (const audio of document.querySelectorAll("audio")) {
  const article = audio.closest("article");
  audio.addEventListener("play", () => {
    const before = playing;
    playing = audio;
    if (before !== null) {
      const takesOver = before !== audio ? before.closest("article") === article : false;
      if (takesOver) audio.currentTime = before.currentTime;
      if (before !== audio) before.pause();
    }
    for (const other of document.querySelectorAll("article")) {
      other.classList.toggle("playing", other === article);
    }
    follow();
  });
  audio.addEventListener("pause", () => {
    if (playing === audio) playing = null;
  });
}
