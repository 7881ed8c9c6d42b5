package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// Shippers put the line that they read under a key of their own: Filebeat, Logstash and Vector under
// message (https://www.elastic.co/guide/en/ecs/current/ecs-base.html,
// https://vector.dev/docs/architecture/data-model/log/), Fluent Bit and Docker under log
// (https://docs.fluentbit.io/manual/pipeline/filters/kubernetes), and Elastic's pipelines keep it under
// event.original, nested or as one flat key
// (https://www.elastic.co/guide/en/ecs/current/ecs-event.html#field-event-original). Their other keys stay
// closed.

// shipper opens the first of these keys that holds what can be an event; where none does, the first one
// with a string, which may be the rest of an event that was cut in two. Only one: the others hold a copy of
// it, or a text for people.
func (d *Decoder) shipper(b []byte, chain Chain) (opened bool, err error) {
	event, _ := d.member(b, "event")
	lines := [...]struct {
		object []byte
		key    string
	}{{b, "event.original"}, {event, "original"}, {b, "message"}, {b, "log"}}
	for _, isLine := range [...]func(Value) bool{canOpen, Value.IsString} {
		for _, line := range lines {
			if v, _ := d.member(line.object, line.key); isLine(v) {
				return d.carry(line.object, line.key, ShapeShipper, chain)
			}
		}
	}
	return false, nil
}

// canOpen reports whether the value can hold an event: an object, an array, or a string that starts like
// one or is base64.
func canOpen(v Value) bool {
	if !v.IsString() {
		return len(v) > 0 && (v[0] == '{' || v[0] == '[')
	}
	body := v[1:]
	for len(body) > 0 {
		c, size := jsonscan.FirstRune(body)
		switch c {
		case '{', '[':
			return true
		case ' ', '\t', '\r', '\n', '\ufeff':
			body = body[size:]
		default:
			return isBase64(body)
		}
	}
	return false
}
