// Runs before the first paint, so a dark screen never flashes white. A file of its own: the page allows no inline scripts.
(function () {
  var wish = null
  try {
    wish = localStorage.getItem('mantine-color-scheme-value')
  } catch (_) {
    // Storage may be switched off; the system's wish is used then.
  }
  var dark = wish === 'dark' || (wish !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
