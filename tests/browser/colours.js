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
  for (const one of document.body.querySelectorAll('*')) {
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said && !one.matches('input, textarea, select')) continue;
    const own = getComputedStyle(one);
    if (own.display === 'none' || own.visibility !== 'visible') continue;
    const large = parseFloat(own.fontSize) >= 24 || (parseFloat(own.fontSize) >= 18.5 && +own.fontWeight >= 700);
    pairs.add(`${own.color} ${own.textShadow} ${large} on ${under(one)}${one.matches(':disabled, [aria-disabled=true]') ? ' disabled' : ''}`);
  }
  return [...pairs];
}
