function Seconds($time) { if ($time -and $time.Year -ge 1970) { [DateTimeOffset]::new($time).ToUnixTimeSeconds() } }
function Part($look) { try { @{ ok = @(& $look) } } catch { @{ error = $_.Exception.Message } } }
function Value($key, $name) { (Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue).$name }

$tasks = {
    $scheduler = New-Object -ComObject Schedule.Service
    $scheduler.Connect()
    $folder = $scheduler.GetFolder('\')
    $states = 'Unknown', 'Disabled', 'Queued', 'Ready', 'Running'
    foreach ($name in $names) {
        try { $task = $folder.GetTask('\' + $name) } catch {
            if (-2147024894, -2147024893 -contains $_.Exception.GetBaseException().HResult) { continue }
            throw
        }
        @{ name = $name; state = $states[$task.State]
           result = [long]$task.LastTaskResult -band 4294967295
           last_run = Seconds $task.LastRunTime; next_run = Seconds $task.NextRunTime }
    }
}

$processes = {
    $fields = 'ProcessId', 'ParentProcessId', 'Name', 'ExecutablePath', 'CreationDate'
    foreach ($own in Get-CimInstance Win32_Process -Property $fields) {
        @{ pid = $own.ProcessId; parent = $own.ParentProcessId; name = $own.Name
           path = $own.ExecutablePath; started = Seconds $own.CreationDate }
    }
}

$accounts = {
    $sid = [Security.Principal.SecurityIdentifier]
    $group = $sid::new('S-1-5-32-544').Translate([Security.Principal.NTAccount]).Value.Split('\')[-1]
    $members = @(([ADSI]('WinNT://./' + $group + ',group')).Invoke('Members')) | ForEach-Object {
        $sid::new([byte[]]([ADSI]$_).objectSid.Value, 0).Value
    }
    foreach ($own in Get-CimInstance Win32_UserAccount -Filter 'LocalAccount=True') {
        if ($users -notcontains $own.Name -and $users -notcontains $own.SID) { continue }
        $more = Get-LocalUser -SID $own.SID
        $filter = 'SID=''' + $own.SID + ''''
        $home_folder = (Get-CimInstance Win32_UserProfile -Filter $filter).LocalPath
        $kept = @(foreach ($kind in 'Local', 'Roaming') {
            if (-not $home_folder) { continue }
            $folder = $home_folder + '\AppData\' + $kind + '\Microsoft\Credentials'
            if (Test-Path -LiteralPath $folder) { Get-ChildItem -LiteralPath $folder -Force }
        })
        @{ name = $own.Name; sid = $own.SID; disabled = $own.Disabled; locked = $own.Lockout
           expires = Seconds $more.AccountExpires; password_expires = Seconds $more.PasswordExpires
           must_change = -not $more.PasswordLastSet
           administrator = $members -contains $own.SID; credentials = $kept.Count }
    }
}

$system = {
    $windows = Get-CimInstance Win32_OperatingSystem
    $control = 'HKLM:\SYSTEM\CurrentControlSet\Control\'
    $desktop = $control + 'Terminal Server'
    $web = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'
    $proxy = Value $web 'WinHttpSettings'
    $length = if ($proxy.Length -gt 16) { [BitConverter]::ToInt32($proxy, 12) } else { 0 }
    $guard = try {
        $device = Get-CimInstance Win32_DeviceGuard -Namespace root\Microsoft\Windows\DeviceGuard
        @($device.SecurityServicesRunning) -contains 1
    } catch { $null }
    $clock = Get-Service W32Time -ErrorAction SilentlyContinue
    @{ name = $windows.Caption; build = [int]$windows.BuildNumber
       role = (Get-CimInstance Win32_ComputerSystem).DomainRole
       long_paths = (Value ($control + 'FileSystem') 'LongPathsEnabled') -eq 1
       desktop_off = (Value $desktop 'fDenyTSConnections') -eq 1
       winhttp = if ($length -gt 0) { [Text.Encoding]::ASCII.GetString($proxy, 16, $length) }
       credential_guard = $guard
       clock = [string]$clock.Status; clock_start = [string]$clock.StartType
       memory = [uint64]($windows.TotalVisibleMemorySize * 1024)
       free = [uint64]($windows.FreePhysicalMemory * 1024)
       swap = [uint64]($windows.SizeStoredInPagingFiles * 1024) }
}

$elevated = {
    $me = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
    $me.IsInRole([Security.Principal.SecurityIdentifier]'S-1-5-32-544')
}

$volumes = {
    foreach ($own in Get-CimInstance Win32_LogicalDisk -Filter 'DriveType=3') {
        @{ drive = $own.DeviceID; bytes = $own.Size; free = $own.FreeSpace }
    }
}

$rights = {
    $sid = [Security.Principal.SecurityIdentifier]
    foreach ($path in $paths) {
        if (-not (Test-Path -LiteralPath $path)) { continue }
        $list = Get-Acl -LiteralPath $path
        $rules = @(foreach ($rule in $list.GetAccessRules($true, $true, $sid)) {
            $who = try { $rule.IdentityReference.Translate([Security.Principal.NTAccount]).Value } catch { $null }
            @{ sid = $rule.IdentityReference.Value; name = $who
               allows = [string]$rule.AccessControlType -eq 'Allow'
               rights = [long][int]$rule.FileSystemRights -band 4294967295; inherited = $rule.IsInherited
               below = [string]$rule.PropagationFlags -match 'InheritOnly' }
        })
        @{ path = $path; owner = $list.GetOwner($sid).Value; rules = $rules }
    }
}

$threats = {
    foreach ($own in Get-MpThreatDetection) {
        foreach ($resource in $own.Resources) { $resource -replace '^[a-z]+:_', '' }
    }
}

@{ tasks = Part $tasks; processes = Part $processes; accounts = Part $accounts
   system = Part $system; volumes = Part $volumes; rights = Part $rights
   threats = Part $threats; elevated = Part $elevated } | ConvertTo-Json -Compress -Depth 8
