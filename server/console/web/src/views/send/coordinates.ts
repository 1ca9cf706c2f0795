// Coordinates in a text that somebody pastes. The functions keep no state.

const number = String.raw`([+-]?\d{1,3}(?:\.\d+)?)`;
const pair = new RegExp(String.raw`^\(?\s*${number}\s*°?\s*[,;\s]\s*${number}\s*°?\s*\)?$`);
const degrees = /^(\d{1,3})°\s*(?:(\d{1,2})['′]\s*(?:(\d{1,2}(?:\.\d+)?)["″]\s*)?)?([NS])[,\s]+(\d{1,3})°\s*(?:(\d{1,2})['′]\s*(?:(\d{1,2}(?:\.\d+)?)["″]\s*)?)?([EW])$/i;
// In the links of maps. The first are of the place itself, the later ones of the map's middle.
const inLinks = [
  new RegExp(String.raw`!3d${number}!4d${number}`),
  new RegExp(String.raw`[?&](?:q|query|ll|sll|daddr|destination|coordinate|center|rtext)=(?:loc:)?${number}(?:,|%2C)\s*${number}`, 'i'),
  new RegExp(String.raw`[?&]mlat=${number}&mlon=${number}`, 'i'),
  new RegExp(String.raw`^geo:${number},${number}`, 'i'),
  new RegExp(String.raw`@${number},${number}`),
  new RegExp(String.raw`#map=\d+(?:\.\d+)?/${number}/${number}`),
];

/**
 * coordinates are the latitude and longitude in a text: "38.70775, -9.13659",
 * 38°42'27.9"N 9°08'11.7"W, or the link of a map. null: it has none.
 */
export function coordinates(text: string): { latitude: number; longitude: number } | null {
  const t = text.trim();
  const d = degrees.exec(t);
  if (d !== null) return valid(angle(d[1], d[2], d[3], /s/i.test(d[4]!)), angle(d[5], d[6], d[7], /w/i.test(d[8]!)));
  for (const form of [pair, ...inLinks]) {
    const m = form.exec(t);
    if (m !== null) return valid(Number(m[1]), Number(m[2]));
  }
  return null;
}

function angle(degree = '0', minute = '0', second = '0', negative = false): number {
  const value = Number(degree) + Number(minute) / 60 + Number(second) / 3600;
  return Math.round((negative ? -value : value) * 1e6) / 1e6;
}

function valid(latitude: number, longitude: number) {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}
