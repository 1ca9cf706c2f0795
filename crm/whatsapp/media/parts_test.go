package media_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
)

// exif returns a JPEG that is to be shown with this orientation.
func exif(photo []byte, orientation byte) []byte {
	segment := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	segment = append(segment, orientation, 0, 0, 0, 0, 0, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return slices.Concat(head, segment, photo[2:])
}

func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// pageSum returns the checksum of a page of Ogg by another way than the writer's: the
// polynomial is that of crc32 with all bits reversed.
func pageSum(page []byte) uint32 {
	turned := bytes.Clone(page)
	for i := range turned {
		turned[i] = bits.Reverse8(turned[i])
	}
	// Update begins and ends with all bits turned over, which Ogg's sum does not.
	return bits.Reverse32(^crc32.Update(^uint32(0), crc32.IEEETable, turned))
}
