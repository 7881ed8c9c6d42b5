{{/* The pod of the Deployment or StatefulSet. */}}
{{- define "regionwatch.podTemplate" -}}
metadata:
  labels:
    {{- include "regionwatch.selectorLabels" . | nindent 4 }}
    {{- with .Values.workload.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- /* The program reads its settings at start, so a change must restart it. It rereads the policy on its own. */}}
    checksum/settings: {{ include "regionwatch.settings" . | sha256sum }}
    {{- with .Values.workload.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "regionwatch.podSpec" . | nindent 2 }}
    {{- with .Values.policy.cache.claim }}
    - name: policy-cache
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
  terminationGracePeriodSeconds: {{ include "regionwatch.terminationSeconds" . }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "regionwatch.topologySpread" . | nindent 2 }}
  containers:
    - name: regionwatch
      {{- include "regionwatch.container" . | nindent 6 }}
        {{- if include "regionwatch.cache" . }}
        - name: policy-cache
          mountPath: {{ include "regionwatch.cacheFolder" . }}
        {{- end }}
      args: [{{ default "run" .Stage }}, --config, {{ include "regionwatch.settingsFolder" . }}/regionwatch.yaml]
      {{- with printf "%s%s" (include "regionwatch.instanceID" .) (include "regionwatch.environment" .) }}
      env:
        {{- . | trim | nindent 8 }}
      {{- end }}
      ports:
        - name: admin
          containerPort: {{ .Values.port }}
          protocol: TCP
      {{- include "regionwatch.probes" . | nindent 6 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
{{- end -}}

{{/* What every pod of the release has; its volumes come last, so that a pod can add its own. */}}
{{- define "regionwatch.podSpec" -}}
serviceAccountName: {{ include "regionwatch.serviceAccountName" . }}
{{ include "regionwatch.podPlace" . }}
volumes:
  {{- include "regionwatch.volumes" . | nindent 2 }}
{{- end -}}

{{/* Where a pod may run, and its confinement. */}}
{{- define "regionwatch.podPlace" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "regionwatch.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The image of every container, and its confinement. */}}
{{- define "regionwatch.confined" -}}
image: {{ include "regionwatch.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* What every container with the release's settings has; its mounts come last, so that one can add its own. */}}
{{- define "regionwatch.container" -}}
{{ include "regionwatch.confined" . }}
volumeMounts:
  {{- /* Folders, never subPath: a file mounted by subPath does not change with its ConfigMap. */}}
  - name: settings
    mountPath: {{ include "regionwatch.settingsFolder" . }}
    readOnly: true
  {{- if include "regionwatch.policyConfigMap" . }}
  - name: policy
    mountPath: {{ include "regionwatch.policyFolder" . }}
    readOnly: true
  {{- end }}
  {{- if include "regionwatch.files" . | fromJson }}
  - name: files
    mountPath: {{ include "regionwatch.filesFolder" . }}
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* A StatefulSet's pod keeps its name, which becomes the instance's. */}}
{{- define "regionwatch.instanceID" -}}
{{- if eq .Values.workload.kind "StatefulSet" -}}
- name: REGIONWATCH_INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{ end -}}
{{- end -}}

{{- define "regionwatch.environment" -}}
{{- range $name, $from := .Values.settingsFromEnvironment -}}
- name: REGIONWATCH_{{ $name | upper | replace "-" "_" }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret }}
      key: {{ $from.key }}
{{ end -}}
{{- $given := list -}}
{{- range .Values.extraEnv -}}{{- $given = append $given .name -}}{{- end -}}
{{- $limit := include "regionwatch.gomemlimit" . -}}
{{- if and $limit (not (has "GOMEMLIMIT" $given)) -}}
- name: GOMEMLIMIT
  value: {{ $limit | quote }}
{{ end -}}
{{- if and .Values.tokenURLCA (not (has "SSL_CERT_FILE" $given)) -}}
- name: SSL_CERT_FILE
  value: {{ include "regionwatch.filesFolder" . }}/token-url-ca
{{ end -}}
{{- with .Values.extraEnv -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "regionwatch.volumes" -}}
- name: settings
  configMap:
    name: {{ include "regionwatch.fullname" . }}
{{- with include "regionwatch.policyConfigMap" . }}
- name: policy
  configMap:
    name: {{ . }}
{{- end }}
{{- with include "regionwatch.files" . | fromJson }}
- name: files
  {{- /* One volume for all, swapped as a whole. Its group is fsGroup, which may read. */}}
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $from := . }}
      - {{ ternary "secret" "configMap" (hasKey $from "secret") }}:
          name: {{ default $from.configMap $from.secret }}
          items:
            - key: {{ $from.key }}
              path: {{ $name }}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "regionwatch.podSecurityContext" -}}
runAsNonRoot: true
{{- range $name := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- with index $.Values $name }}
{{ $name }}: {{ int64 . }}
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "regionwatch.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: admin{{ include "regionwatch.scheme" . }} }
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: { path: /livez, port: admin{{ include "regionwatch.scheme" . }} }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: admin{{ include "regionwatch.scheme" . }} }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- end -}}

{{- define "regionwatch.scheme" -}}
{{- if hasKey .Values.settingsFromFiles "admin-tls-certificate" -}}, scheme: HTTPS{{- end -}}
{{- end -}}

{{/* The pods of one revision are spread among themselves: pods that are about to end do not count. */}}
{{- define "regionwatch.topologySpread" -}}
{{- with .Values.topologySpread.keys -}}
topologySpreadConstraints:
  {{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "regionwatch.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq $.Values.workload.kind "StatefulSet") }}]
  {{- end }}
{{- end -}}
{{- end -}}
