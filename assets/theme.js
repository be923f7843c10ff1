// Sets the remembered theme before the first paint; without one the system decides.
(() => {
  try {
    const theme = localStorage.getItem("bm-theme");
    if (theme === "dark" || theme === "light") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Storage may be forbidden; the system's theme is right then.
  }
})();
