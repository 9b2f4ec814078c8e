import { defineTexts } from '../../../values/i18n'

export const reservationTexts = defineTexts({
  en: {
    title: 'Reservations', lead: 'Who holds how much of what, and until when.', created: 'Made', reference: 'Reference', until: 'Until', noEnd: 'no end', what: 'What', held: 'Held', by: 'Made by', ended: 'Ended', channel: 'Channel', ends: 'Runs out within',
    within15: '15 minutes', within60: '1 hour', within1440: '1 day', more: { one: 'and {count} more', other: 'and {count} more' }, lineCount: { one: '{count} line', other: '{count} lines' }, none: 'Nothing is reserved', noneHint: 'Baskets, orders and quotas that hold stock appear here.',
    noneHere: 'Nobody holds any of it.', others: '{quantity} more are held by transfers and other documents.', all: 'All reservations', reservation: 'Reservation', lines: 'Lines', requested: 'Wanted', consumed: 'Taken', released: 'Given back', expired: 'Ran out', open: 'Held', lapsed: 'run out', policy: 'If there is not enough',
    release: 'Give back', releaseTitle: 'Give back what it holds', releaseShows: 'This becomes free again:', releaseLabel: 'Why is it given back?', releaseSubmit: 'Give back', releasedNote: 'Given back.', extendHour: 'Hold 1 hour from now', extendDay: 'Hold 1 day from now', extended: 'Holds until {time}.', nothingHeld: 'It holds nothing any more.',
    backorders: 'Backorders', noBackorders: 'Nobody may reserve more than is there.', allow: 'Allow', allowTitle: 'Allow backorders at {site}', changeTitle: 'Backorders at {site}', change: 'Change', changeAt: 'Change backorders at {site}', atSite: 'Site', upTo: 'Up to', anyQuantity: 'any quantity', beyond: 'Beyond now', approvedBy: 'Approved by', backorderHint: 'Reservations that ask for it may then take more than is there, and wait for what comes.', upToHint: 'How far beyond what is there. Empty: any quantity.', badQuantity: 'A number above zero.', endIt: 'Stop it', approvedDone: 'Backorders are allowed at {site}.', endedDone: 'No new backorders at {site}.',
  },
  de: {
    title: 'Reservierungen', lead: 'Wer wie viel wovon hält, und bis wann.', created: 'Angelegt', reference: 'Referenz', until: 'Bis', noEnd: 'ohne Ende', what: 'Was', held: 'Gehalten', by: 'Angelegt von', ended: 'Beendet', channel: 'Kanal', ends: 'Läuft ab in',
    within15: '15 Minuten', within60: '1 Stunde', within1440: '1 Tag', more: { one: 'und {count} weitere', other: 'und {count} weitere' }, lineCount: { one: '{count} Zeile', other: '{count} Zeilen' }, none: 'Nichts ist reserviert', noneHint: 'Warenkörbe, Aufträge und Kontingente, die Bestand halten, erscheinen hier.',
    noneHere: 'Niemand hält etwas davon.', others: '{quantity} weitere halten Umlagerungen und andere Belege.', all: 'Alle Reservierungen', reservation: 'Reservierung', lines: 'Zeilen', requested: 'Gewünscht', consumed: 'Genommen', released: 'Zurückgegeben', expired: 'Abgelaufen', open: 'Gehalten', lapsed: 'abgelaufen', policy: 'Wenn es nicht reicht',
    release: 'Freigeben', releaseTitle: 'Freigeben, was sie hält', releaseShows: 'Das wird wieder frei:', releaseLabel: 'Warum wird freigegeben?', releaseSubmit: 'Freigeben', releasedNote: 'Freigegeben.', extendHour: 'Ab jetzt 1 Stunde halten', extendDay: 'Ab jetzt 1 Tag halten', extended: 'Gilt bis {time}.', nothingHeld: 'Sie hält nichts mehr.',
    backorders: 'Rückstände', noBackorders: 'Niemand darf mehr reservieren, als da ist.', allow: 'Erlauben', allowTitle: 'Rückstände in {site} erlauben', changeTitle: 'Rückstände in {site}', change: 'Ändern', changeAt: 'Rückstände in {site} ändern', atSite: 'Standort', upTo: 'Bis zu', anyQuantity: 'jede Menge', beyond: 'Jetzt darüber', approvedBy: 'Genehmigt von', backorderHint: 'Reservierungen, die das verlangen, dürfen dann mehr nehmen, als da ist, und warten auf das, was kommt.', upToHint: 'Wie weit über das Vorhandene hinaus. Leer: jede Menge.', badQuantity: 'Eine Zahl über null.', endIt: 'Beenden', approvedDone: 'Rückstände sind in {site} erlaubt.', endedDone: 'Keine neuen Rückstände in {site}.',
  },
})

/** Values the server sends of reservations. */
export const reservationWords = defineTexts({
  en: { basket: 'Basket', order: 'Order', quota: 'Quota', open: 'open', consumed: 'taken', released: 'given back', expired: 'run out', all_or_nothing: 'all or nothing', what_there_is: 'what there is', backorder: 'backorder' },
  de: { basket: 'Warenkorb', order: 'Auftrag', quota: 'Kontingent', open: 'offen', consumed: 'genommen', released: 'zurückgegeben', expired: 'abgelaufen', all_or_nothing: 'alles oder nichts', what_there_is: 'was da ist', backorder: 'Rückstand' },
})
