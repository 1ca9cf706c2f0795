// The page works without this file. It adds: the address of this server in the
// examples, copying, finding in the contents, and closing them after a jump on a phone.
'use strict';

const contents = document.getElementById('contents');
const written = document.querySelector('.call').textContent.match(/https?:\/\/[^/\s']+/)?.[0];

for (const code of document.querySelectorAll('.call')) {
  if (written && written !== location.origin) {
    code.textContent = code.textContent.replace(written, location.origin).replace(written.replace(/^http/, 'ws'), location.origin.replace(/^http/, 'ws'));
  }
}

if (navigator.clipboard) {
  for (const figure of document.querySelectorAll('figure')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy: ' + figure.querySelector('pre').getAttribute('aria-label'));
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(figure.querySelector('code').textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Not allowed';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    figure.querySelector('figcaption').append(button);
  }
}

// Finding: what does not match is hidden, groups with matches open.
const box = document.createElement('input');
box.type = 'search';
box.className = 'find';
box.placeholder = 'Find…';
box.setAttribute('aria-label', 'Find in the contents');
contents.querySelector('summary').after(box);
const groups = [...contents.querySelectorAll('details')];
box.addEventListener('input', () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of groups) {
    let any = false;
    for (const item of group.querySelectorAll('li')) {
      const text = (item.textContent + ' ' + item.querySelector('a').hash).toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      any ||= !item.hidden;
    }
    group.hidden = !any;
    group.open = any && words.length > 0;
  }
});

const narrow = matchMedia('(max-width: 60rem)');
contents.addEventListener('click', (event) => {
  if (narrow.matches && event.target.closest('a')) contents.open = false;
});
// Beside the page they are always open; the style shows them there without this, too.
const unfold = () => { contents.open = !narrow.matches; };
narrow.addEventListener('change', unfold);
unfold();

// The index follows the reading: the group of the operation that is seen is open.
const links = new Map([...contents.querySelectorAll('a')].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
let current = null;
const seen = new IntersectionObserver((entries) => {
  const entry = entries.find((e) => e.isIntersecting);
  const link = entry && links.get(entry.target.id);
  if (!link || link === current) return;
  current?.removeAttribute('aria-current');
  current = link;
  link.setAttribute('aria-current', 'true');
  const group = link.closest('details');
  if (narrow.matches || box.value) return;
  for (const other of groups) other.open = other === group;
  const nav = contents.parentElement;
  const top = link.getBoundingClientRect().top - nav.getBoundingClientRect().top;
  if (top < 40 || top > nav.clientHeight - 60) nav.scrollTop += top - nav.clientHeight / 3;
}, { rootMargin: '-80px 0px -75% 0px' });
for (const id of links.keys()) {
  const place = document.getElementById(id);
  if (place) seen.observe(place);
}
