import { defineTexts } from '../../../values/i18n'

export const shellTexts = defineTexts({
  en: {
    skip: 'Skip to content', menu: 'Menu', mainNav: 'Main navigation',
    groupNow: 'Now', groupStock: 'Stock', groupSelling: 'Selling', groupPartners: 'Partners', groupSystem: 'System',
    overview: 'Overview', stock: 'Stock', catalog: 'Variants', locations: 'Locations', lots: 'Lots and serials', holds: 'Holds', sales: 'Sales', transfers: 'Transfers', exceptions: 'Exceptions', approvals: 'Approvals',
    postings: 'Postings', suppliers: 'Suppliers', customers: 'Customers', events: 'Events', audit: 'Audit', jobs: 'Jobs', integrity: 'Integrity', imports: 'Import',
    users: 'Users', roles: 'Roles', keys: 'API keys', account: 'My account', logout: 'Log out', userMenu: 'Account menu',
    language: 'Language', look: 'Look', light: 'Light', dark: 'Dark', auto: 'Like the system',
    searchPlaceholder: 'Search SKU, barcode, name, place, lot, sale …', searchHint: 'Type to search everything. A scanned code opens at once.', searchNothing: 'Nothing found for “{q}”.',
    searchTitle: 'Search everything', live: 'Live', connecting: 'Connecting', offline: 'Not connected', liveAge: 'Last news {age}', never: 'No news yet',
    scanned: 'Opened {code}', scanUnknown: 'Nothing is known by the code {code}.',
    keysTitle: 'Keys', keySearch: 'Search everything', keyHelp: 'Show these keys', keyScan: 'Scan with no field focused: open what was scanned', keyGo: 'Then {key}: go to {page}',
    keyArrows: 'Move in a list', keyEnter: 'Open the row', keySpace: 'Select the row (Shift: a range)', keyEsc: 'Close', keyRefresh: 'Read the page again',
    notFound: 'There is no such page', notFoundHint: 'The address may be old.', toOverview: 'To the overview', crashed: 'This page stumbled',
    demo: 'Demo',
  },
  de: {
    skip: 'Zum Inhalt springen', menu: 'Menü', mainNav: 'Hauptnavigation',
    groupNow: 'Jetzt', groupStock: 'Bestand', groupSelling: 'Verkauf', groupPartners: 'Partner', groupSystem: 'System',
    overview: 'Überblick', stock: 'Bestand', catalog: 'Varianten', locations: 'Plätze', lots: 'Chargen und Serien', holds: 'Sperren', sales: 'Verkäufe', transfers: 'Lieferungen', exceptions: 'Ausnahmen', approvals: 'Genehmigungen',
    postings: 'Buchungen', suppliers: 'Lieferanten', customers: 'Kunden', events: 'Ereignisse', audit: 'Protokoll', jobs: 'Aufträge', integrity: 'Integrität', imports: 'Import',
    users: 'Benutzer', roles: 'Rollen', keys: 'API-Schlüssel', account: 'Mein Konto', logout: 'Abmelden', userMenu: 'Kontomenü',
    language: 'Sprache', look: 'Aussehen', light: 'Hell', dark: 'Dunkel', auto: 'Wie das System',
    searchPlaceholder: 'SKU, Barcode, Name, Platz, Charge, Verkauf suchen …', searchHint: 'Tippen, um alles zu durchsuchen. Ein gescannter Code öffnet sich sofort.', searchNothing: 'Nichts gefunden zu „{q}“.',
    searchTitle: 'Alles durchsuchen', live: 'Live', connecting: 'Verbinde', offline: 'Nicht verbunden', liveAge: 'Letzte Nachricht {age}', never: 'Noch keine Nachricht',
    scanned: '{code} geöffnet', scanUnknown: 'Zum Code {code} ist nichts bekannt.',
    keysTitle: 'Tasten', keySearch: 'Alles durchsuchen', keyHelp: 'Diese Tasten zeigen', keyScan: 'Scannen, ohne dass ein Feld aktiv ist: öffnet das Gescannte', keyGo: 'Dann {key}: zu {page}',
    keyArrows: 'In einer Liste bewegen', keyEnter: 'Zeile öffnen', keySpace: 'Zeile auswählen (Umschalt: ein Bereich)', keyEsc: 'Schließen', keyRefresh: 'Seite neu lesen',
    notFound: 'Diese Seite gibt es nicht', notFoundHint: 'Die Adresse ist vielleicht veraltet.', toOverview: 'Zum Überblick', crashed: 'Diese Seite ist gestolpert',
    demo: 'Demo',
  },
})
