// What a page does by itself, without asking the server: theme, ticking times, menus.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function theme() {
    return document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  }

  function ago(seconds) {
    if (seconds < 60) return "just now";
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} days ago`;
  }

  function elapsed(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    return hours
      ? `${hours}:${two(minutes)}:${two(whole % 60)}`
      : `${minutes}:${two(whole % 60)}`;
  }

  function write(element, text) {
    const node = element.firstChild;
    // Only the text node's value: React keeps the node itself.
    if (node && node.nodeType === Node.TEXT_NODE && node.nodeValue !== text) {
      node.nodeValue = text;
    }
  }

  function since(element, name) {
    const at = Date.parse(element.getAttribute(name) || "");
    return Number.isNaN(at) ? null : (Date.now() - at) / 1000;
  }

  function tick() {
    for (const element of document.querySelectorAll("[data-since]")) {
      const seconds = since(element, "data-since");
      if (seconds !== null) write(element, elapsed(seconds));
    }
    for (const element of document.querySelectorAll("[data-synced]")) {
      const seconds = since(element, "data-synced");
      if (seconds !== null && seconds < 93600) write(element, `Synced ${ago(seconds)}`);
    }
  }
  setInterval(tick, 1000);

  function shopDomain(text) {
    const raw = text.trim().toLowerCase();
    if (/^[a-z0-9][a-z0-9-]{0,98}$/.test(raw)) return `${raw}.myshopify.com`;
    const admin = raw.match(/^(?:https?:\/\/)?admin\.shopify\.com\/store\/([a-z0-9][a-z0-9-]*)/);
    if (admin) return `${admin[1]}.myshopify.com`;
    const host = raw.match(/^(?:https?:\/\/)?([a-z0-9][a-z0-9-]{0,98}\.myshopify\.com)(?:[/?#]|$)/);
    return host ? host[1] : null;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-connect]")) return;
    const field = form.elements.namedItem("shop");
    const domain = shopDomain(field.value);
    const wrong = document.getElementById(field.getAttribute("aria-describedby"));
    if (!domain) {
      event.preventDefault();
      field.setAttribute("aria-invalid", "true");
      write(wrong, wrong.dataset.invalid);
      field.focus();
      return;
    }
    field.value = domain;
  });

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    for (const open of document.querySelectorAll("details[data-menu][open]")) {
      if (!open.contains(target) || target?.closest("a")) open.open = false;
    }
    if (target?.closest("[data-theme-turn]")) {
      const next = theme() === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      try {
        localStorage.setItem("bm-theme", next);
      } catch {
        // Not remembered then.
      }
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll("details[data-menu][open]")) {
      open.open = false;
      open.querySelector("summary")?.focus();
    }
  });
})();
