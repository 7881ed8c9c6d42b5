'use strict';

// The page is whole as the server sends it. This keeps it up to date: elements say in data attributes which values they
// show, and values become text or attributes that the page itself names, never markup.
//
//   data-part="alerts"         what is inside takes its values from that part of the view
//   data-text="region"         the element's text is that value
//   data-set="width:share"     the attribute is that value; several with spaces
//   data-rows="rows"           the element has a template and one copy of it for each value of that list, by its key

function fill(element, values) {
  const {part, text, set, rows} = element.dataset;
  if (part !== undefined) {
    values = values[part];
    if (values === undefined) return; // it has not changed
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

// Screen readers are told of new alerts, but not of each one where there are many.
const news = {element: document.getElementById('news'), every: 10000, count: 0, latest: '', timer: 0};

function newestKey() {
  return document.querySelector('#alerts [data-key]')?.dataset.key;
}

function tellNews(before, rows) {
  const fresh = rows.findIndex((row) => row.key === before);
  news.count += fresh < 0 ? rows.length : fresh;
  if (news.count === 0) return;
  news.latest = rows[0].event + ' in ' + rows[0].region + ' by ' + rows[0].principal;
  if (news.timer !== 0) return;
  news.timer = setTimeout(() => {
    news.element.textContent = (news.count === 1 ? 'A new alert: ' : news.count + ' new alerts, the latest: ') + news.latest;
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
    const before = newestKey();
    fill(document.documentElement, view);
    if (view.alerts !== undefined && before !== newestKey()) tellNews(before, view.alerts.rows);
    setLink('live', 'live');
  };
  stream.onerror = () => {
    setLink('lost', 'not live, connecting');
    if (stream.readyState !== EventSource.CLOSED) return; // it tries by itself
    stream.close();
    setTimeout(connect, 5000);
  };
}

setLink('lost', 'connecting');
connect();
