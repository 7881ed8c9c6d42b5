'use strict';

// The server sends the whole page. This script keeps it up to date: data attributes of elements name the values they show,
// and values become text or attributes named by the page, never markup. It also filters the alerts, or the incidents.
//
//   data-part="alerts"         the content takes its values from that part of the view
//   data-text="region"         the element's text is that value
//   data-set="width:share"     the attribute is that value; several with spaces
//   data-rows="rows"           the element has a template, and a copy of it per value of that list, by key

function fill(element, values) {
  const {part, text, set, rows} = element.dataset;
  if (part !== undefined) {
    values = values[part];
    if (values === undefined) return; // unchanged
  }
  for (const pair of set === undefined ? [] : set.split(' ')) {
    const [attribute, key] = pair.split(':');
    if (element.getAttribute(attribute) !== values[key]) element.setAttribute(attribute, values[key]);
  }
  if (text !== undefined) {
    if (element.textContent !== values[text]) element.textContent = values[text];
  } else if (rows !== undefined) {
    fillRows(element, values[rows]);
  } else {
    for (const child of element.children) fill(child, values);
  }
}

function fillRows(list, rows) {
  const template = list.querySelector(':scope > template');
  const old = new Map();
  for (const row of list.children) if (row !== template) old.set(row.dataset.key, row);
  let next = template.nextElementSibling;
  for (const values of rows) {
    let row = old.get(values.key);
    if (row === undefined) {
      row = template.content.firstElementChild.cloneNode(true);
      row.dataset.key = values.key;
      row.classList.add('new');
    }
    old.delete(values.key);
    fill(row, values);
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
  for (const row of old.values()) row.remove();
}

// Filters hide rows; what they offer is what the rows show. Without this script there are none.
const filters = document.getElementById('filters');
const list = filters.closest('section');
const search = document.getElementById('search');
const selects = [...filters.querySelectorAll('select')];

function textOf(row, name) {
  return row.querySelector('[data-text="' + name + '"]').textContent;
}

function offer(select, rows) {
  const kept = select.value;
  const values = [...new Set([kept, ...rows.map((row) => textOf(row, select.dataset.filter))])].filter((value) => value !== '').sort();
  const offered = [...select.options].slice(1).map((option) => option.value);
  if (values.length === offered.length && values.every((value, i) => value === offered[i])) return;
  select.replaceChildren(select.options[0], ...values.map((value) => new Option(value, value)));
  select.value = kept;
}

function filter() {
  const rows = [...list.querySelectorAll(':scope > ol > li')];
  for (const select of selects) offer(select, rows);
  const words = search.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
  let shown = 0;
  for (const row of rows) {
    // Without the labels of the details: every row has those.
    const text = [...row.querySelectorAll('summary, dd')].map((part) => part.textContent).join(' ').toLowerCase();
    row.hidden = !words.every((word) => text.includes(word)) ||
      !selects.every((select) => select.value === '' || select.value === textOf(row, select.dataset.filter));
    if (!row.hidden) shown++;
  }
  const active = words.length > 0 || selects.some((select) => select.value !== '');
  document.getElementById('shown').textContent = active ? shown + ' of ' + rows.length + ' rows' : '';
}

filters.hidden = false;
filters.addEventListener('input', filter);
document.getElementById('clear').addEventListener('click', () => {
  search.value = '';
  for (const select of selects) select.value = '';
  filter();
  search.focus();
});

// Screen readers hear of new rows, but not of each one if there are many.
const news = {element: document.getElementById('news'), every: 10000, total: -1, count: 0, latest: '', timer: 0};

function tellNews(rows) {
  const before = news.total;
  news.total = rows.total;
  if (before < 0 || rows.total <= before) return; // the first view, fewer, or an instance that has restarted
  news.count += rows.total - before;
  news.latest = rows.latest;
  if (news.timer !== 0) return;
  news.timer = setTimeout(() => {
    const {news: noun, first} = list.dataset;
    news.element.textContent = (news.count === 1 ? 'A new ' + noun : news.count + ' new ' + noun + 's') + ', ' + first + ': ' + news.latest;
    news.count = news.timer = 0;
  }, news.element.textContent === '' ? 0 : news.every);
}

const link = document.getElementById('link');

function setLink(state, text) {
  link.dataset.state = state;
  link.textContent = text;
}

function connect() {
  const stream = new EventSource('live');
  stream.onmessage = (message) => {
    const view = JSON.parse(message.data);
    fill(document.documentElement, view);
    const rows = view[list.dataset.part];
    if (rows !== undefined) {
      filter();
      tellNews(rows);
    }
    setLink('live', 'live');
  };
  stream.onerror = () => {
    setLink('lost', 'not live, connecting');
    if (stream.readyState !== EventSource.CLOSED) return; // it reconnects by itself
    stream.close();
    setTimeout(connect, 5000);
  };
}

filter();
setLink('lost', 'connecting');
connect();
