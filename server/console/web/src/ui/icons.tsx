// The icons, drawn for this page: strokes in the colour of the text. They are
// hidden from screen readers, because the elements around them have names.
import type { ComponentChildren } from 'preact';

function icon(children: ComponentChildren) {
  return () => (
    <svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const LiveIcon = icon(<path d="M3 12h4l3-8 4 16 3-8h4" />);
export const SendIcon = icon(<><path d="M4 5h16v11H9l-5 4z" /><path d="M8 9h8M8 12h5" /></>);
export const ConnectIcon = icon(<path d="m8 8-4 4 4 4M16 8l4 4-4 4M13.500 5l-3 14" />);
export const ServerIcon = icon(<path d="M5 20V11M12 20V4M19 20v-6" />);
export const AuditIcon = icon(<><path d="M6 3h9l4 4v14H6z" /><path d="M9.500 12h6M9.500 16h6M9.500 8h2" /></>);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6 6 18" />);
export const UserIcon = icon(<><circle cx="12" cy="8" r="4" /><path d="M4 20c1-4 4-6 8-6s7 2 8 6" /></>);
export const BackIcon = icon(<path d="M14 6l-6 6 6 6" />);
export const CopyIcon = icon(<><rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15V5a1 1 0 0 1 1-1h9" /></>);
export const PauseIcon = icon(<path d="M9 5v14M15 5v14" />);
export const PlayIcon = icon(<path d="M7 5l12 7-12 7z" />);
export const ClearIcon = icon(<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13" />);
export const FilterIcon = icon(<path d="M4 6h16M7 12h10M10 18h4" />);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const EyeIcon = icon(<><path d="M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z" /><circle cx="12" cy="12" r="3" /></>);
export const SearchIcon = icon(<><circle cx="11" cy="11" r="6" /><path d="m16 16 4 4" /></>);
export const KeyboardIcon = icon(<><rect x="3" y="6" width="18" height="12" rx="2" /><path d="M7 10h.01M11 10h.01M15 10h.01M8 14h8" /></>);
export const DownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const ClipIcon = icon(<path d="m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.200 17a1.700 1.700 0 0 1-2.400-2.400L14.500 7" />);
export const PlaceIcon = icon(<><path d="M12 21s7-6.500 7-12a7 7 0 0 0-14 0c0 5.500 7 12 7 12z" /><circle cx="12" cy="9" r="2.500" /></>);
export const MoreIcon = icon(<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="2.800" />);
export const FactsIcon = icon(<><rect x="3" y="4" width="18" height="16" rx="2" /><path d="M14 4v16M17 8h1M17 12h1" /></>);
export const WaitIcon = icon(<><circle cx="12" cy="12" r="8" /><path d="M12 8v4l3 2" /></>);
export const TickIcon = icon(<path d="m5 13 4 4L19 7" />);
export const TicksIcon = icon(<path d="m2 13 4 4L16 7M12 16l1 1L23 7" />);
export const FailIcon = icon(<><circle cx="12" cy="12" r="8" /><path d="M12 8v5M12 16h.01" /></>);
export const GroupIcon = icon(<><circle cx="9" cy="9" r="3.500" /><path d="M2.500 19c1-3.500 3.500-5 6.500-5s5.500 1.500 6.500 5M16 5.800a3.500 3.500 0 0 1 0 6.400M18.500 14.500c1.500.700 2.500 2.200 3 4.500" /></>);
export const ChannelIcon = icon(<><path d="M4 9.500v5h3l8 4.500V5L7 9.500z" /><path d="M18.500 9a4.500 4.500 0 0 1 0 6M8 14.500V19" /></>);
export const FileIcon = icon(<path d="M6 3h8l4 4v14H6zM14 3v4h4" />);
export const PeopleIcon = icon(<><circle cx="9" cy="8" r="3.500" /><path d="M2.500 20c.700-4 3.300-6 6.500-6s5.800 2 6.500 6M17 8v6M14 11h6" /></>);
