package helm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

// The program accepts what it finds in its container: settings, policy, files and variables.
func TestProgramAccepts(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		text, err := validate(t, all)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if set, found := stageTwo(all); found {
			if text, err := contained(t, all, set.Spec.Template.Spec, "validate", "--settings"); err != nil {
				t.Fatalf("stage two: %v\n%s", err, text)
			}
		}
	})
}

// The rendered settings arrive as intended: numbers without exponents, lists, text that looks like something else.
func TestProgramReads(t *testing.T) {
	f := func(want string, set ...string) {
		t.Helper()
		args := []string{"--values", "testdata/secured.values.yaml"}
		for i := 0; i < len(set); i += 2 {
			args = append(args, set[i], set[i+1])
		}
		text, err := validate(t, render(t, args...))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		contains(t, strings.Join(strings.Fields(text), " "), want)
	}
	f("max-event-bytes 64MiB file", "--set", "settings.max-event-bytes=67108864")
	f("max-event-bytes 64MiB file", "--set-json", "settings.max-event-bytes=67108864")
	f("group 8e7 file", "--set-string", "settings.group=8e7")
	f(`group <a> & "b" file`, "--set-json", `settings.group="<a> & \"b\""`)
	f("input-topic trail-a,trail-b file", "--set", "settings.input-topic={trail-a,trail-b}")
	f("start 2026-11-01T00:00:00Z file", "--set-string", "settings.start=2026-11-01T00:00:00Z")
	f("create-topics true file", "--set", "settings.create-topics=true")
	f("sasl-password-file /")
	f("tls-key /")
}

// The program reports what the schema cannot check.
func TestProgramRefuses(t *testing.T) {
	text, err := validate(t, render(t, "--values", "testdata/minimal.values.yaml", "--set", "settings.drain-timeout=2h"))
	if err == nil {
		t.Fatalf("valid:\n%s", text)
	}
	contains(t, text, "drain-timeout")
}

// helm test runs with the release's settings: it can list the ACLs they need.
func TestProgramChecks(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		for name, check := range pods(t, all) {
			if !strings.HasSuffix(name, "-check") {
				continue
			}
			text, err := contained(t, all, check.Spec, "check", "--acls", "--principal", "User:regionwatch")
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
			contains(t, text, "kafka-acls")
		}
	})
}

// validate runs the program's validate command the way an instance would run the program.
func validate(t *testing.T, all objects) (string, error) {
	t.Helper()
	return contained(t, all, pod(t, all).Spec, "validate", "--settings")
}

// hook runs the command of the pre-upgrade hook.
func hook(t *testing.T, all objects) (string, error) {
	t.Helper()
	return contained(t, all, only[*batch.Job](t, all).Spec.Template.Spec, "validate")
}

// contained reproduces what the pod's container would find and runs another command of the program there, with the
// container's own flags and variables.
func contained(t *testing.T, all objects, spec core.PodSpec, command ...string) (string, error) {
	t.Helper()
	c := spec.Containers[0]
	root := t.TempDir()
	moved := func(text string) string {
		return strings.NewReplacer("/etc/regionwatch", filepath.Join(root, "etc/regionwatch"), "/mnt/", filepath.Join(root, "mnt")+"/").Replace(text)
	}
	for _, mount := range c.VolumeMounts {
		for name, text := range volume(t, all, spec, mount.Name) {
			write(t, filepath.Join(root, mount.MountPath, name), moved(text))
		}
	}
	for _, arg := range c.Args[1:] {
		command = append(command, moved(arg))
	}
	cmd := exec.Command(program, command...)
	cmd.Env = []string{}
	for _, v := range c.Env {
		cmd.Env = append(cmd.Env, v.Name+"="+variable(v))
	}
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func variable(v core.EnvVar) string {
	switch {
	case v.ValueFrom == nil:
		return v.Value
	case v.ValueFrom.FieldRef != nil:
		return "watch-regionwatch-0"
	default:
		return "a secret"
	}
}

// volume returns the files of a volume. It makes up the ones that are not part of the chart.
func volume(t *testing.T, all objects, spec core.PodSpec, name string) map[string]string {
	t.Helper()
	if name == "policy-cache" {
		return nil // empty at first
	}
	for _, v := range spec.Volumes {
		switch {
		case v.Name != name:
		case v.ConfigMap != nil:
			return configMap(t, all, v.ConfigMap.Name)
		case v.Projected != nil:
			return projected(t, v.Projected.Sources)
		case v.CSI != nil:
			return map[string]string{"client-secret": "hunter2"}
		case v.PersistentVolumeClaim != nil:
			return map[string]string{"policy.yaml": "version: \"1\"\ndefault: { unused_regions: [eu-west-3] }\n"}
		}
	}
	t.Fatalf("no volume %q", name)
	return nil
}

func projected(t *testing.T, sources []core.VolumeProjection) map[string]string {
	t.Helper()
	certificate, key := newCertificate(t)
	files := map[string]string{}
	for _, source := range sources {
		var items []core.KeyToPath
		switch {
		case source.Secret != nil:
			items = source.Secret.Items
		case source.ConfigMap != nil:
			items = source.ConfigMap.Items
		case source.ServiceAccountToken != nil:
			items = []core.KeyToPath{{Path: source.ServiceAccountToken.Path}}
		}
		for _, item := range items {
			switch {
			case item.Path == "tls-key":
				files[item.Path] = key
			case strings.HasPrefix(item.Path, "tls-"):
				files[item.Path] = certificate
			default:
				files[item.Path] = "a secret"
			}
		}
	}
	return files
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newCertificate returns a certificate and its key, valid for an hour.
func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	blank := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, blank, blank, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}
