// Sets what the first paint must know: the remembered theme (without one the system decides), and
// whether this is the sample shop, whose banner then has its place before it comes.
(() => {
  if (new URLSearchParams(location.search).get("shop") === "sample") {
    document.documentElement.dataset.sample = "";
  }
  try {
    const theme = localStorage.getItem("bm-theme");
    if (theme === "dark" || theme === "light") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Storage may be forbidden; the system's theme is right then.
  }
})();
