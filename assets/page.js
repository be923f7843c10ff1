// What a page does by itself, without asking the server: theme, times, menus, keys, focus.
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
      if (!open.contains(target) || target?.closest("a")) shut(open);
    }
    if (target?.closest("[data-keys]")) ask("keys");
    if (target?.closest("[data-sync-yes]")) document.querySelector("[data-sync]")?.click();
    if (target?.closest("[data-search]")) search.open();
    if (target?.closest("[data-search-close], #search a")) search.close();
    if (target?.closest("[data-print]")) print();
    if (target?.closest("[data-gel-picture]")) picture();
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

  // What is chosen stands at once. React puts it back to what the server last said, and only then
  // asks; the answer draws it anew, turned back if it was not kept.
  let chosen = null;
  addEventListener(
    "click",
    (event) => {
      const input = event.target;
      const isPick = input instanceof HTMLInputElement && input.closest(".picks");
      chosen = isPick ? { input, on: input.checked } : null;
    },
    true,
  );
  addEventListener("click", () => {
    if (chosen) chosen.input.checked = chosen.on;
    chosen = null;
  });

  // On paper nothing can be opened: what is folded away is printed too, and folded again after it.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details.strand:not([open])")];
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of unfolded) one.open = false;
    unfolded = [];
  });

  // The gel and its signature as a picture, drawn from what is on the page.
  function picture() {
    const plate = document.querySelector(".assay .plate");
    if (!plate) return;
    const box = plate.getBoundingClientRect();
    const scale = 1200 / box.width;
    const canvas = document.createElement("canvas");
    canvas.width = 1200;
    canvas.height = Math.round(box.height * scale) + 200;
    const draw = canvas.getContext("2d");
    const paint = (element) => {
      const style = getComputedStyle(element);
      const at = element.getBoundingClientRect();
      draw.globalAlpha = Number(style.opacity);
      draw.fillStyle = style.backgroundColor;
      draw.fillRect((at.x - box.x) * scale, (at.y - box.y) * scale,
        at.width * scale, Math.max(1.5, at.height * scale));
    };
    draw.fillStyle = getComputedStyle(plate).backgroundColor;
    draw.fillRect(0, 0, canvas.width, canvas.height);
    for (const lane of plate.querySelectorAll(".lane")) {
      paint(lane);
      for (const mark of lane.children) paint(mark);
    }
    draw.globalAlpha = 1;
    const root = getComputedStyle(document.documentElement);
    const bottom = box.height * scale;
    const told = (selector) => document.querySelector(`.assay ${selector}`)?.textContent || "";
    draw.fillStyle = root.getPropertyValue("--plate-text");
    draw.font = `500 16px ${root.getPropertyValue("--text")}`;
    draw.textAlign = "center";
    for (const lane of plate.querySelectorAll(".lane")) {
      const at = lane.getBoundingClientRect();
      draw.fillText(lane.title, (at.x + at.width / 2 - box.x) * scale, bottom + 6, 96);
    }
    draw.textAlign = "left";
    draw.font = `400 24px ${root.getPropertyValue("--text")}`;
    const shop = document.querySelector(".shop > span")?.textContent
      || document.querySelector(".shop")?.textContent || "";
    draw.fillText(`${shop} · ${told(".eyebrow")}`, 36, bottom + 66, 1128);
    draw.font = `650 42px ${root.getPropertyValue("--display")}`;
    draw.fillText(told(".signature"), 36, bottom + 124, 1128);
    draw.font = `400 20px ${root.getPropertyValue("--text")}`;
    draw.fillText("BrandMind", 36, bottom + 172);
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = "store-dna.png";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  function shut(menu) {
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary")?.focus({ preventScroll: true });
  }

  function ask(name) {
    const dialog = document.getElementById(name);
    if (dialog && !dialog.open) dialog.showModal();
  }

  // The search: what is chosen is marked here, what is found comes from the server.
  const search = {
    get box() { return document.getElementById("search"); },
    get field() { return document.querySelector("[data-search-field]"); },
    get hits() { return [...document.querySelectorAll("#search [data-hit]")]; },
    open() {
      // Where the page is being left, the one that comes opens it.
      this.wished = Boolean(this.box) || location.pathname !== path;
      if (!this.box || this.box.open) return;
      this.holder = this.box;
      this.box.showModal();
      this.field.focus();
      this.choose(0);
    },
    again() {
      const { text, waits } = this;
      this.open();
      if (!text) return;
      // As typed: React hears of nothing that is set in its own way.
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(this.field, text);
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
      this.waits = waits;
    },
    close() {
      this.wished = false;
      if (this.box?.open) this.box.close();
    },
    forget() {
      this.wished = false;
      this.text = "";
      if (this.field) this.field.value = "";
      document.querySelector("[data-search-clear]")?.click();
    },
    chosen() { return this.hits.findIndex((hit) => hit.getAttribute("aria-selected") === "true"); },
    choose(at) {
      const hits = this.hits;
      const wanted = hits.length ? (at + hits.length) % hits.length : -1;
      hits.forEach((hit, number) => {
        const value = String(number === wanted);
        if (hit.getAttribute("aria-selected") !== value) hit.setAttribute("aria-selected", value);
      });
      if (wanted >= 0) {
        this.field.setAttribute("aria-activedescendant", hits[wanted].id);
        hits[wanted].scrollIntoView({ block: "nearest" });
      } else {
        this.field?.removeAttribute("aria-activedescendant");
      }
    },
    key(event) {
      if (event.key === "Escape") this.wished = false;
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) {
        event.preventDefault();
        this.choose(this.chosen() + by);
      }
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        // Not what was found for fewer letters than are typed by now.
        const list = document.querySelector("#search [data-for]");
        const asked = this.field.value.trim().split(/\s+/).join(" ");
        if (list?.dataset.for === asked) this.hits[this.chosen()]?.querySelector("a")?.click();
        else this.waits = true;
      }
    },
    arrived() {
      if (this.wished && this.box && this.box !== this.holder) this.again();
      if (!this.box?.open) return;
      if (this.chosen() < 0) this.choose(0);
      const list = document.querySelector("#search [data-for]");
      if (this.waits && list?.dataset.for === this.field.value.trim().split(/\s+/).join(" ")) {
        this.waits = false;
        this.hits[Math.max(0, this.chosen())]?.querySelector("a")?.click();
      }
    },
    waits: false,
    // Whether it should be open, in which page's dialog it was opened, and what was typed there.
    wished: false,
    holder: null,
    text: "",
  };
  document.addEventListener("close", (event) => {
    if (event.target.id === "search") search.forget();
  }, true);
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-search-field]")) return;
    search.waits = false;
    search.text = event.target.value;
    // What comes next is another list: its first is chosen.
    for (const hit of search.hits) hit.removeAttribute("aria-selected");
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("[data-search-field]")) search.key(event);
  });
  new MutationObserver(() => search.arrived()).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-for"],
  });

  function go(page) {
    document.querySelector(`.rail nav a[href^="/${page}"]`)?.click();
  }

  // The range beside the one shown, in the order of the menu.
  function range(by) {
    const links = [...document.querySelectorAll(".range-menu .menu-part:first-child a")];
    const at = links.findIndex((link) => link.getAttribute("aria-current") === "true");
    if (at >= 0) links[at + by]?.click();
  }

  const keys = {
    gc: () => go("command-center"),
    gd: () => go("dna"),
    gu: () => go("customers"),
    gp: () => go("products"),
    go: () => go("orders"),
    gw: () => go("syncing"),
    gs: () => go("settings"),
    gb: () => document.querySelector('a[href^="/compare"]')?.click(),
    ga: () => go("admin"),
    r: () => document.querySelector("[data-sync]:not([disabled])") && ask("sync"),
    "[": () => range(-1),
    "]": () => range(1),
    "?": () => ask("keys"),
    "/": () => search.open(),
  };
  let first = "";
  let firstAt = 0;

  // What stands beside the page takes the focus from whoever opened it, and gives it back.
  let drawer = null;
  function drawn() {
    shows();
    const now = document.querySelector("[data-drawer]");
    if (now === drawer) return;
    const opened = document.activeElement?.closest?.("[data-opens]");
    if (now && opened) now.focus({ preventScroll: true });
    if (!now && document.activeElement === document.body) {
      const key = CSS.escape(drawer.dataset.drawer);
      document.querySelector(`[data-opens="${key}"]`)?.focus({ preventScroll: true });
    }
    drawer = now;
  }
  new MutationObserver(drawn).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-shown"],
  });

  // What opens below the screen is brought to whoever opened it: nothing else would tell them.
  let shown = "";
  let opener = "";
  function shows() {
    const list = document.querySelector("[data-shown]");
    const now = list?.dataset.shown || "";
    if (now === shown) return;
    shown = now;
    const opened = document.activeElement?.closest?.("[data-opens]");
    if (now && opened) {
      opener = opened.dataset.opens;
      list.querySelector("[tabindex]")?.focus({ preventScroll: true });
      list.scrollIntoView({ block: "start" });
    }
    if (!now && opener && document.activeElement === document.body) {
      document.querySelector(`[data-opens="${CSS.escape(opener)}"]`)?.focus();
    }
  }

  function escape() {
    search.close();
    for (const open of document.querySelectorAll("details[data-menu][open]")) {
      open.open = false;
      open.querySelector("summary")?.focus();
    }
    document.querySelector("[data-notice] button")?.click();
    if (!document.querySelector("dialog[open]")) {
      document.querySelector("[data-drawer-close]")?.click();
    }
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
      if (event.key === "Escape" && !event.target.closest?.("dialog")) escape();
      return;
    }
    if (event.key === "Escape") escape();
    const pair = event.timeStamp - firstAt < 1500 ? first + event.key : event.key;
    const act = keys[pair] || keys[event.key];
    first = event.key === "g" ? "g" : "";
    firstAt = event.timeStamp;
    if (!act || event.repeat) return;
    event.preventDefault();
    act();
  });

  // A new page takes the focus, so that it is read from its beginning; a change within it does not.
  // While it is still hidden it cannot, and whoever has gone on by then is left alone.
  let path = location.pathname;
  // Whoever goes back wants what was there.
  addEventListener("popstate", () => search.close());
  let main = null;
  let wanted = null;
  function arrive() {
    const now = document.getElementById("page");
    if (location.pathname === path) main = now;
    else if (now && now !== main) {
      path = location.pathname;
      main = wanted = now;
    }
    if (wanted && document.activeElement === document.body) wanted.focus({ preventScroll: true });
    if (document.activeElement !== document.body) wanted = null;
  }
  new MutationObserver(arrive).observe(document.documentElement, {
    childList: true,
    subtree: true,
  });
})();
