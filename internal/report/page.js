'use strict';
// Sorts a table by a column when its heading is pressed. Without this script the tables are whole, in the order of the page.
for (const table of document.querySelectorAll('table.sort')) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const order = head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', order);
      const rows = [...table.tBodies[0].rows];
      const text = (row) => row.cells[column].textContent;
      const number = (row) => Number(text(row).replaceAll(',', ''));
      const numeric = rows.every((row) => !Number.isNaN(number(row)));
      rows.sort((a, b) => (numeric ? number(a) - number(b) : text(a).localeCompare(text(b), 'en')));
      table.tBodies[0].append(...(order === 'ascending' ? rows : rows.reverse()));
    });
  });
}
