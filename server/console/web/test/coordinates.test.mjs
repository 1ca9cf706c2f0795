// The coordinates in what people paste: numbers, degrees, links of maps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { coordinates } = await load('src/views/send/coordinates.ts');

test('coordinates in all their forms', () => {
  for (const [text, latitude, longitude] of [
    ['38.70775, -9.13659', 38.70775, -9.13659],
    ['  38.70775 -9.13659 ', 38.70775, -9.13659],
    ['(52.5163;13.3777)', 52.5163, 13.3777],
    ['38.70775°, -9.13659°', 38.70775, -9.13659],
    ['0,0', 0, 0],
    ['-90, 180', -90, 180],
    [`38°42'27.9"N 9°08'11.7"W`, 38.707750, -9.136583],
    ['52°31′S, 13°22′E', -52.516667, 13.366667],
    ['geo:38.70775,-9.13659?z=15', 38.70775, -9.13659],
    ['https://www.google.com/maps/place/Pra%C3%A7a/@38.7,-9.1,17z/data=!3m1!4b1!4m6!3d38.70775!4d-9.13659', 38.70775, -9.13659],
    ['https://www.google.com/maps/@38.70775,-9.13659,17z', 38.70775, -9.13659],
    ['https://maps.google.com/?q=38.70775,-9.13659', 38.70775, -9.13659],
    ['https://www.google.com/maps/search/?api=1&query=38.70775%2C-9.13659', 38.70775, -9.13659],
    ['https://maps.apple.com/?ll=38.70775,-9.13659&q=Pra%C3%A7a', 38.70775, -9.13659],
    ['https://www.openstreetmap.org/?mlat=38.70775&mlon=-9.13659#map=17/1/2', 38.70775, -9.13659],
    ['https://www.openstreetmap.org/#map=17/38.70775/-9.13659', 38.70775, -9.13659],
  ]) assert.deepEqual(coordinates(text), { latitude, longitude }, text);
});

test('what is none', () => {
  for (const text of ['', 'Lisbon', '91, 0', '0, 181', '38.7', '38,70775', 'https://maps.app.goo.gl/AbCdEf123', 'https://example.com/38/9', '1, 2, 3']) {
    assert.equal(coordinates(text), null, text);
  }
});
