// () => what stands on what: each text's colour, size class, what it stands on from the inside out, and how it is layered.
() => {
  const pairs = new Set();
  const ground = (one) => {
    const own = getComputedStyle(one);
    const layer = own.position === 'static' || own.position === 'relative' ? '' : `${own.position} ${one.className}`;
    const bare = own.backgroundColor === 'rgba(0, 0, 0, 0)' && own.backgroundImage === 'none' && own.opacity === '1' && own.filter === 'none';
    return bare && !layer ? '' : `${own.backgroundColor} ${own.backgroundImage.slice(0, 200)} ${own.opacity} ${own.filter} ${layer}`;
  };
  const grounds = new Map();
  const under = (one) => {
    if (!one) return '';
    if (!grounds.has(one)) {
      const [own, above] = [ground(one), under(one.parentElement)];
      grounds.set(one, own ? `${own} < ${above}` : above);
    }
    return grounds.get(one);
  };
  const boxes = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getClientRects().length > 0;
  };
  // What is not shown, itself or with an ancestor, has passed nothing: it is a new pair when it is shown.
  const shown = (one) => getComputedStyle(one).display === 'contents'
    ? getComputedStyle(one).visibility === 'visible' && shown(one.parentElement)
    : one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  for (const one of document.body.querySelectorAll('*')) {
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() && boxes(node));
    const field = one.matches('input, textarea, select') && one.getClientRects().length > 0;
    if (!(said || field) || !shown(one)) continue;
    const own = getComputedStyle(one);
    const large = parseFloat(own.fontSize) >= 24 || (parseFloat(own.fontSize) >= 18.66 && +own.fontWeight >= 700);
    pairs.add(`${own.color} ${own.textShadow} ${large} on ${under(one)}${one.matches(':disabled, [aria-disabled=true]') ? ' disabled' : ''}`);
  }
  return [...pairs];
}
