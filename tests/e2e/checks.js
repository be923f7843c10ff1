// What a test asks of a page as painted. Loaded before the page's own scripts.
window.__checks = (() => {
  const checks = { shift: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) checks.shift += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });

  let canvas;
  function rgba(colour) {
    canvas ||= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  }
  function linear(value) {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }
  function luminance([red, green, blue]) {
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }
  function ground(element) {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  }

  // Text below 4.5:1, large text below 3:1 (WCAG 2.2, 1.4.3).
  checks.faint = () => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.nodeValue.trim();
      const element = walker.currentNode.parentElement;
      if (!text || !element.getClientRects().length) continue;
      if (element.closest(".unseen, svg, script, style, noscript")) continue;
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize);
      const [one, two] = [luminance(rgba(style.color)), luminance(ground(element))];
      const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
      const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight, 10) >= 700);
      if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)} ${ratio.toFixed(2)}`);
    }
    return found;
  };

  const painted = (selector) =>
    [...document.querySelectorAll(selector)].filter((at) => at.getClientRects().length);
  const named = (at) =>
    at.textContent.trim() || at.title || at.getAttribute("aria-label") || at.labels?.length;

  checks.nameless = () =>
    painted("a, button, summary, input:not([type=hidden])")
      .filter((at) => !named(at))
      .map((at) => at.outerHTML.slice(0, 120));

  // Targets below 24 px (WCAG 2.2, 2.5.8); links within text are exempt.
  checks.small = () =>
    painted("button:not(.link), summary:not(.link), nav a")
      .filter((at) => {
        const box = at.getBoundingClientRect();
        return box.width < 24 || box.height < 24;
      })
      .map((at) => at.outerHTML.slice(0, 120));

  return checks;
})();
