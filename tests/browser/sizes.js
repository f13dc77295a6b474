// ({percent, whole}) => faults of the layout, as sentences. whole: text that is cut off or lies on something else, too.
({ percent, whole }) => {
  const root = document.documentElement;
  root.style.fontSize = `${percent}%`;
  const faults = [];
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
    const name = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''}`;
    faults.push(`scrolls sideways, ${root.scrollWidth} in ${root.clientWidth}: ${wide.slice(-3).map(name).join(', ')}`);
  }
  if (!whole) return faults;

  const styles = new Map();
  const style = (one) => styles.get(one) ?? styles.set(one, getComputedStyle(one)).get(one);
  const above = function* (one) { for (let at = one; at && at !== document.body; at = at.parentElement) yield at; };
  // What is not there for the eye, or floats over the page on purpose.
  const apart = (one) => [...above(one)].some((at) => {
    const own = style(at);
    return own.clip !== 'auto' || own.clipPath !== 'none' || own.position === 'sticky' || own.position === 'fixed'
      || at.matches('.skip, dialog, option');
  }) || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const boxes = [];
  const keep = (rect, node, words) => {
    let { left, right, top, bottom } = rect;
    for (const at of above(node)) {
      const own = style(at);
      if (own.overflowX === 'visible' && own.overflowY === 'visible') continue;
      const frame = at.getBoundingClientRect();
      const cuts = own.overflowX === 'hidden' || own.overflowX === 'clip' || own.overflowY === 'hidden' || own.overflowY === 'clip';
      if (cuts && (right > frame.right + 2 || left < frame.left - 2 || bottom > frame.bottom + 3 || top < frame.top - 3))
        faults.push(`cut off: “${words}”`);
      left = Math.max(left, frame.left); right = Math.min(right, frame.right);
      top = Math.max(top, frame.top); bottom = Math.min(bottom, frame.bottom);
    }
    const slack = (bottom - top) * 0.2; // a line's box is higher than its letters
    if (right - left > 2 && bottom - top > 4) boxes.push({ left, right, top: top + slack, bottom: bottom - slack, node, words });
  };

  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, words = text.textContent.trim().slice(0, 40), node = text.parentElement;
    if (!words || node.closest('script, template, style, svg') || apart(node)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const rect of range.getClientRects()) if (rect.width && rect.height) keep(rect, node, words);
  }
  for (const one of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, progress, img')) {
    if (apart(one)) continue;
    const rect = one.getBoundingClientRect(), words = one.textContent.trim() || `${one.tagName.toLowerCase()} ${one.name ?? ''}`;
    if (!rect.width || !rect.height) continue;
    if (one.tagName === 'BUTTON') {
      if (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 3) faults.push(`cut off in its button: “${words}”`);
    } else keep(rect, one, words);
  }
  boxes.sort((one, other) => one.top - other.top);
  boxes.forEach((one, place) => {
    for (let next = place + 1; next < boxes.length && boxes[next].top < one.bottom; next += 1) {
      const other = boxes[next];
      if (one.node === other.node || one.node.contains(other.node) && one.node.tagName === 'BUTTON') continue;
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - other.top;
      if (across > 3 && down > 3) faults.push(`lies on something: “${one.words}” and “${other.words}”`);
    }
  });
  return [...new Set(faults)].slice(0, 8);
}
