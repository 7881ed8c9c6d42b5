package detection

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/regionwatch/regionwatch/schema/schematest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// identities are userIdentity elements as AWS documents them, one for each type.
var identities = map[string]string{
	"AssumedRole": `{"type":"AssumedRole","principalId":"AROAEXAMPLE:example-user","arn":"arn:aws:sts::111122223333:assumed-role/example-role/example-user",` +
		`"accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",` +
		`"arn":"arn:aws:iam::111122223333:role/path/example-role","accountId":"111122223333","userName":"example-role"},` +
		`"attributes":{"creationDate":"2026-03-01T08:00:00Z","mfaAuthenticated":"false"}}}`,
	"AssumedRoleWithoutIssuer": `{"type":"AssumedRole","principalId":"AROAEXAMPLE:example-user","arn":"arn:aws:sts::111122223333:assumed-role/example-role/example-user","accountId":"111122223333"}`,
	"IAMUser":                  `{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/division/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"alice"}`,
	"Root":                     `{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":""}`,
	"RootWithAlias":            `{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","userName":"example-alias"}`,
	"FederatedUser": `{"type":"FederatedUser","principalId":"111122223333:bob","arn":"arn:aws:sts::111122223333:federated-user/bob","accountId":"111122223333",` +
		`"sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/broker","accountId":"111122223333","userName":"broker"}}}`,
	"FederatedUserWithoutIssuer": `{"type":"FederatedUser","principalId":"111122223333:bob","arn":"arn:aws:sts::111122223333:federated-user/bob","accountId":"111122223333"}`,
	"SAMLUser":                   `{"type":"SAMLUser","principalId":"SamlExample:carol@example.com","userName":"carol@example.com","identityProvider":"SamlExample"}`,
	"WebIdentityUser":            `{"type":"WebIdentityUser","principalId":"accounts.google.com:example.apps.googleusercontent.com:dave","userName":"dave","identityProvider":"accounts.google.com"}`,
	"IdentityCenterUser": `{"type":"IdentityCenterUser","accountId":"111122223333","onBehalfOf":{"userId":"544894e8-80c1-707f-60e3-3ba6510dfac1",` +
		`"identityStoreArn":"arn:aws:identitystore::111122223333:identitystore/d-9067642ac7"},"credentialId":"EXAMPLECREDENTIAL"}`,
	"Directory":  `{"type":"Directory","accountId":"111122223333","userName":"erin"}`,
	"AWSAccount": `{"type":"AWSAccount","principalId":"AROAEXAMPLE:other","accountId":"444455556666"}`,
	"AWSService": `{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}`,
	"Unknown":    `{"type":"Unknown","principalId":"mystery"}`,
}

// TestGolden compares the whole alert for each type of identity. Write the files anew with
// go test ./processor/detection -run TestGolden -update, and read the difference.
func TestGolden(t *testing.T) {
	schema := alertSchema(t)
	for name, identity := range identities {
		t.Run(name, func(t *testing.T) {
			r, _ := detect(t, eventBy(identity))
			if len(r.encoded) != 1 {
				t.Fatalf("alerts %q", r.encoded)
			}
			validate(t, schema, r.encoded[0])
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(r.encoded[0]), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			compareGolden(t, filepath.Join("testdata", "golden", name+".json"), got.Bytes())
		})
	}
}

// eventBy returns a matching event by someone.
func eventBy(identity string) string {
	return `{"eventVersion":"1.11","userIdentity":` + identity + `,"eventTime":"2026-03-01T08:30:00Z",` +
		`"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"ap-east-1","sourceIPAddress":"192.0.2.10",` +
		`"userAgent":"aws-cli/2.15.0","errorCode":"Client.UnauthorizedOperation","requestParameters":{"iamInstanceProfile":` +
		`{"arn":"arn:aws:iam::111122223333:instance-profile/worker"}},"eventID":"3b0f6c5e-0000-4000-8000-000000000002",` +
		`"readOnly":false,"resources":[{"ARN":"arn:aws:ec2:ap-east-1:111122223333:instance/i-0example"}],` +
		`"eventType":"AwsApiCall","recipientAccountId":"111122223333"}`
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", path, got, want)
	}
}

func alertSchema(t testing.TB) schematest.Schema {
	t.Helper()
	return schematest.Compile(t, "../../schema/alert/native.schema.json")
}

func validate(t testing.TB, schema schematest.Schema, encoded string) {
	t.Helper()
	if err := schema.Validate([]byte(encoded)); err != nil {
		t.Errorf("%v in %s", err, encoded)
	}
}
