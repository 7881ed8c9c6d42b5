package cloudtrail

import "testing"

// TestDecompressorReadsOnBehindAnEnd reads several members, frames or streams as one text, and takes what
// follows the last one and is not compressed for damage.
func TestDecompressorReadsOnBehindAnEnd(t *testing.T) {
	for shape, pack := range compressors {
		name := shape.String()
		expect(t, pack(paris[:20])+pack("")+pack(paris[20:]), "event 0 "+name+" eu-west-3 false")
		expect(t, pack(paris)+"no "+name, "event 0 "+name+" eu-west-3 false\nfault -1 compression "+name)
	}
}
