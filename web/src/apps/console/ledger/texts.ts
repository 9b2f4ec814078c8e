import { defineTexts } from '../../../values/i18n'

export const ledgerTexts = defineTexts({
  en: {
    stockTitle: 'Stock', stockLead: 'Every variant at every site, as it is this second.', searchHint: 'SKU, barcode or words', show: 'In the site columns', below: 'Only with gaps',
    belowMinimum: 'Below minimum', belowZero: 'Below zero', transferThese: 'Transfer these', emptyStock: 'No stock yet', emptyStockHint: 'Import products and opening stock, or adjust the first variant by hand.', toImport: 'Import opening stock',
  },
  de: {
    stockTitle: 'Bestand', stockLead: 'Jede Variante an jedem Standort, wie er in dieser Sekunde ist.', searchHint: 'SKU, Barcode oder Wörter', show: 'In den Standortspalten', below: 'Nur mit Lücken',
    belowMinimum: 'Unter Mindestbestand', belowZero: 'Unter null', transferThese: 'Diese liefern', emptyStock: 'Noch kein Bestand', emptyStockHint: 'Importieren Sie Produkte und Anfangsbestand, oder passen Sie die erste Variante von Hand an.', toImport: 'Anfangsbestand importieren',
  },
})

export const variantTexts = defineTexts({
  en: {
    title: 'Variant', adjust: 'Adjust', set: 'Set', move: 'Move', explain: 'Explain this number', places: 'By place', allSites: 'All sites', chart: 'On hand over time', chartSummary: 'From {first} to {last} in {days} days',
    history: 'History', balance: 'Balance', change: 'Change', details: 'About it', barcodes: 'Barcodes', noBarcodes: 'No barcodes', packOf: '{level} of {quantity}', asOf: 'As of', asOfHint: 'Empty = now, live', asOfNotice: 'You see {time}, not now.',
    backToNow: 'Back to now', archived: 'Archived', bins: 'Bins and lots', noBins: 'Nothing lies here.', noHistory: 'Nothing ever moved here.', chosenSite: 'Only {site}', showAll: 'Show all sites', tracking: 'Tracking', listPrice: 'List price', weight: 'Weight', size: 'Size',
    externalId: 'External id', adjustTitle: 'Adjust the stock', setTitle: 'Set the stock', moveTitle: 'Move stock', deltaHint: 'What came or went: 3 or -3', setHint: 'What is there now', isNow: 'The books say {quantity}.', moveHint: 'How much moves',
    post: 'Post', posted: 'Posted.', waits: 'Recorded. It waits for a second person to approve it.', badQuantity: 'Please type a number.', fromCondition: 'Condition there', toCondition: 'New condition', lotCode: 'Lot code', choosePlace: 'Choose a place first.',
    explainTitle: '{quantity}: {value}', explainSum: 'How it adds up', explainRows: 'The postings behind it', upTo: 'As of posting {seq}', disagrees: 'The ledger does not add up to this number. Please run a verification.', posting: 'Posting {seq}', undo: 'Undo …', undoTitle: 'Undo by a counter-posting',
    undoHint: 'Nothing is erased: a counter-posting writes these lines.', undone: 'Undone by a counter-posting.', reversedBy: 'Undone by another posting', reverses: 'Undoes another posting', happened: 'Happened', recorded: 'Recorded', previewWouldBe: 'It would write:', fromTo: 'From → to',
    postings: 'Postings', postingsLead: 'Every change of stock, newest first.', notPriced: 'not set', happenedAfter: 'Happened after', sourceType: 'From', undoReason: 'Why is it undone?',
  },
  de: {
    title: 'Variante', adjust: 'Anpassen', set: 'Setzen', move: 'Umlagern', explain: 'Diese Zahl erklären', places: 'Nach Platz', allSites: 'Alle Standorte', chart: 'Vorhanden im Zeitverlauf', chartSummary: 'Von {first} auf {last} in {days} Tagen',
    history: 'Verlauf', balance: 'Saldo', change: 'Änderung', details: 'Angaben', barcodes: 'Barcodes', noBarcodes: 'Keine Barcodes', packOf: '{level} zu {quantity}', asOf: 'Stand vom', asOfHint: 'Leer = jetzt, live', asOfNotice: 'Sie sehen {time}, nicht jetzt.',
    backToNow: 'Zurück zu jetzt', archived: 'Archiviert', bins: 'Fächer und Chargen', noBins: 'Hier liegt nichts.', noHistory: 'Hier hat sich noch nie etwas bewegt.', chosenSite: 'Nur {site}', showAll: 'Alle Standorte zeigen', tracking: 'Verfolgung', listPrice: 'Listenpreis', weight: 'Gewicht', size: 'Maße',
    externalId: 'Externe Kennung', adjustTitle: 'Bestand anpassen', setTitle: 'Bestand setzen', moveTitle: 'Bestand umlagern', deltaHint: 'Was dazukam oder wegging: 3 oder -3', setHint: 'Was jetzt da ist', isNow: 'In den Büchern stehen {quantity}.', moveHint: 'Wie viel umgelagert wird',
    post: 'Buchen', posted: 'Gebucht.', waits: 'Erfasst. Eine zweite Person muss es noch genehmigen.', badQuantity: 'Bitte eine Zahl eingeben.', fromCondition: 'Zustand dort', toCondition: 'Neuer Zustand', lotCode: 'Chargennummer', choosePlace: 'Bitte zuerst einen Platz wählen.',
    explainTitle: '{quantity}: {value}', explainSum: 'So kommt sie zustande', explainRows: 'Die Buchungen dahinter', upTo: 'Stand Buchung {seq}', disagrees: 'Die Buchungen ergeben diese Zahl nicht. Bitte eine Prüfung starten.', posting: 'Buchung {seq}', undo: 'Rückgängig …', undoTitle: 'Durch Gegenbuchung rückgängig machen',
    undoHint: 'Nichts wird gelöscht: Eine Gegenbuchung schreibt diese Zeilen.', undone: 'Durch Gegenbuchung rückgängig gemacht.', reversedBy: 'Durch eine andere Buchung rückgängig gemacht', reverses: 'Macht eine andere Buchung rückgängig', happened: 'Geschehen', recorded: 'Erfasst', previewWouldBe: 'Geschrieben würde:', fromTo: 'Von → nach',
    postings: 'Buchungen', postingsLead: 'Jede Änderung des Bestands, die neueste zuerst.', notPriced: 'nicht gesetzt', happenedAfter: 'Geschehen nach', sourceType: 'Aus', undoReason: 'Warum wird es rückgängig gemacht?',
  },
})
