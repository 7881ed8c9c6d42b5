package cloudtrail

// Kafka Connect's JsonConverter writes {"schema":{…},"payload":…} where schemas are enabled
// (https://kafka.apache.org/documentation/#connect_developing). The payload is the event, or a string that
// holds it.

// connect opens the payload.
func (d *Decoder) connect(b []byte, chain Chain) (opened bool, err error) {
	return d.carry(b, "payload", ShapeConnect, chain)
}
